import type { NodeConfig } from "./node_config.ts";

/** A node that runs, in a worker or a process. */
export interface RunningNode {
  /** The port of its HTTP server. */
  readonly port: number;
  /** The ID of its process, if that is not the one of the demo. */
  readonly pid: number | undefined;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<unknown>;
  /** Kills it: it can do nothing more. */
  kill(): void;
  /** Requests it to end its streams and itself. */
  stop(): void;
}

/** Starts a node, and resolves when it accepts requests. */
export type StartNode = (config: NodeConfig) => Promise<RunningNode>;
