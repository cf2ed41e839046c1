import type { ClusterNodeOptions } from "@crossmcp/session-manager/testing";
import type { Link } from "../links.ts";
import type { StoreName } from "../stores/store.ts";

/** How a node connects to its store. */
export interface NodeConfig {
  readonly store: StoreName;
  readonly ports: readonly number[];
  /** Which client library it uses, modulo how many there are. */
  readonly library: number;
  /** Its options, except for its callbacks. */
  readonly options: ClusterNodeOptions;
}

/** What a node knows of others. */
export interface NodeState {
  /** The names of the nodes that it knows, its own included. */
  readonly nodes: readonly string[];
  /** How many messages it has lost, by its own count. */
  readonly lost: number;
}

/** What a node can be asked to do, in this process or in another one. */
export interface NodeCalls {
  send(ids: string[] | undefined, frame: string): Promise<void>;
  has(id: string): Promise<boolean>;
  setData(id: string, value: number): Promise<void>;
  getData(id: string): Promise<unknown>;
  /** Ends a session; returns how many have ended. */
  end(id: string): Promise<number>;
  /** Returns the IDs of all sessions. */
  list(): Promise<string[]>;
  close(drainMs: number): Promise<void>;
}

/** A request to the endpoint of a node. */
export interface NodeRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** A node that is there. */
export interface NodeHandle extends NodeCalls {
  readonly link: Link | undefined;
  readonly state: NodeState;
  /** Whether it runs in a process of its own. */
  readonly isProcess: boolean;
  /** Whether it can be killed. */
  readonly isKillable: boolean;
  /** Sends a request as a client of the node. */
  request(request: NodeRequest): Promise<Response>;
  /** Kills it, or cuts it off for good. */
  kill(): void;
  /** Ends it and its connections. */
  dispose(): Promise<void>;
}

/** Makes a node. Resolves when it is ready. */
export type MakeHandle = (
  config: NodeConfig,
  link: Link | undefined,
  onError: (error: Error) => void,
) => Promise<NodeHandle>;
