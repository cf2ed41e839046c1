import type { NodeStatus } from "./nodes/node_group.ts";

/** The counters of `stats()` that only grow, and one of the demo's own. */
export interface Counters {
  readonly begun: number;
  readonly ended: number;
  readonly delivered: number;
  readonly replayed: number;
  readonly resets: number;
  readonly resumed: number;
  readonly evictedByBytes: number;
  readonly evictedByAge: number;
}

/** A node at one moment. */
export interface NodeSample {
  readonly name: string;
  readonly status: NodeStatus;
  readonly pid: number | undefined;
  readonly starts: number;
  /** `stats().attached`. */
  readonly streams: number;
  /** `stats().queuedBytes`. */
  readonly queuedBytes: number;
  /** The messages delivered each second since the last sample. */
  readonly perSecond: number;
}

/** Everything that the page shows of the nodes at one moment. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly nodes: readonly NodeSample[];
  /** The sum of all nodes, with those that were killed. */
  readonly totals: Counters;
  /** The sum of the nodes that run. */
  readonly streams: number;
  readonly queuedBytes: number;
  readonly perSecond: number;
  /** The sessions that the nodes know. */
  readonly sessions: number;
  /** The number of the newest numbered message. */
  readonly sent: number;
  /** The demo's own clients. */
  readonly clients: ClientCounts;
}

/** How many of the demo's own clients do what. */
export interface ClientCounts {
  readonly connected: number;
  /** Cut off for a moment. */
  readonly away: number;
  /** Connected, but not reading. */
  readonly stalled: number;
  /** Whether clients come and go. */
  readonly isRunning: boolean;
}
