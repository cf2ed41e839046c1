import type { Worker } from "node:worker_threads";
import type { NodeOptions } from "../../cluster_nodes/node_actions.ts";
import type {
  Call,
  Outcome,
  Remote,
} from "../../cluster_nodes/remote_calls.ts";
import { RemoteNode } from "../../cluster_nodes/remote_node.ts";
import { RemoteNodes, withNodes } from "../../cluster_nodes/remote_nodes.ts";
import { startThread } from "../../support/bundle.ts";
import type { ChannelActions } from "./channel_actions.ts";

export { PATIENCE_MS } from "../../cluster_nodes/remote_node.ts";
export { meet } from "../../cluster_nodes/remote_nodes.ts";

/** A node in a thread of its own. Every call runs there. */
export class WorkerNode extends RemoteNode {
  readonly channels: Remote<ChannelActions> = this.remote("channels");
  readonly #worker: Worker;
  readonly #ended: Promise<void>;

  constructor() {
    super();
    this.#worker = startThread(new URL("./node_worker.ts", import.meta.url));
    this.#worker.on("message", (outcome: Outcome) => this.settle(outcome));
    this.#worker.on("error", (error) => this.failed(error as Error));
    this.#ended = new Promise((resolve) => {
      this.#worker.once("exit", () => {
        this.ended();
        resolve();
      });
    });
  }

  override async kill(): Promise<void> {
    await this.#worker.terminate();
    await this.#ended;
  }

  protected override post(call: Call): void {
    this.#worker.postMessage(call);
  }
}

/**
 * The nodes of one test, in threads of their own, with a cluster name of their
 * own.
 */
export class Workers extends RemoteNodes<WorkerNode> {
  /** @param options The options of each node. */
  constructor(options: NodeOptions) {
    super(options, () => new WorkerNode());
  }
}

/** Defines a test whose nodes run in threads of their own. */
export function withWorkers(
  options: NodeOptions,
  run: (workers: Workers) => Promise<void>,
): () => Promise<void> {
  return () => withNodes(new Workers(options), run);
}
