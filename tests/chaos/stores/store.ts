import type { ClusterSessions } from "@crossmcp/session-manager/cluster";
import type { RedisSessions } from "@crossmcp/session-manager/redis";
import type { ClusterNodeOptions } from "@crossmcp/session-manager/testing";
import type { FaultName } from "../faults.ts";
import type { Link } from "../links.ts";

/** The sessions of a node. */
export type NodeSessions = ClusterSessions | RedisSessions;

/** A node, as a store makes it. */
export interface MadeNode {
  readonly sessions: NodeSessions;
  /** Its connections; undefined where they cannot be cut. */
  readonly link: Link | undefined;
  /** Ends its connections, after its sessions have closed. */
  disconnect(): Promise<unknown>;
}

/** What nodes share: a server of Redis or of a broker. */
export interface Store extends AsyncDisposable {
  /** The faults that it can have. */
  readonly faults: readonly FaultName[];
  /** Whether events for replay outlive the node that has the stream. */
  readonly keepsEvents: boolean;
  /**
   * Creates a node.
   *
   * @param options Its options.
   * @param library Which client library it uses, modulo how many there are.
   */
  join(options: ClusterNodeOptions, library: number): Promise<MadeNode>;
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
