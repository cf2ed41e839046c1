import type { ClusterSessions } from "@crossmcp/session-manager/cluster";
import type { RedisSessions } from "@crossmcp/session-manager/redis";
import type { ClusterNodeOptions } from "@crossmcp/session-manager/testing";
import type { FaultName } from "../faults.ts";
import type { Link } from "../links.ts";

/** The name of a store. */
export type StoreName =
  | "redis"
  | "sentinel"
  | "cluster"
  | "nats"
  | "postgres";

/** The sessions of a node, and how to end their connections. */
export interface MadeSessions {
  readonly sessions: ClusterSessions | RedisSessions;
  /** Ends the connections, after the sessions have closed. */
  disconnect(): Promise<unknown>;
}

/**
 * Connects a node.
 *
 * @param ports The ports that its client is given.
 * @param library Which client library it uses, modulo how many there are.
 * @param options Its options.
 */
export type MakeSessions = (
  ports: readonly number[],
  library: number,
  options: ClusterNodeOptions,
) => Promise<MadeSessions>;

/** What a node connects through. */
export interface Access {
  /** The ports that its client is given. */
  readonly ports: readonly number[];
  /** Its connections; undefined where they cannot be cut. */
  readonly link: Link | undefined;
  /** Ends it, after the node has ended. */
  close(): Promise<unknown>;
}

/** What nodes share: a server of Redis or of a broker. */
export interface Store extends AsyncDisposable {
  readonly name: StoreName;
  /** The faults that it can have. */
  readonly faults: readonly FaultName[];
  /** Whether events for replay outlive the node that has the stream. */
  readonly keepsEvents: boolean;
  /** Prepares what a node connects through. */
  access(): Promise<Access>;
  /** Keeps what it has now, for the fault `older`. */
  snapshot?(): Promise<void>;
  /**
   * Begins a fault of the server.
   *
   * @returns Ends it.
   */
  fail(fault: FaultName): Promise<() => Promise<void>>;
  /** Returns what is wrong with what is stored. */
  inspect?(): Promise<string[]>;
}
