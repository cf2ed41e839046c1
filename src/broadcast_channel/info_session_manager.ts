import {
  ClusterInfoSessionManager,
  type ClusterInfoSessionManagerOptions,
} from "../cluster/info_session_manager.ts";
import type { ClusterOptions } from "../cluster/membership/options.ts";
import { createChannelNode } from "./node.ts";

/** Options of a {@linkcode BroadcastChannelInfoSessionManager}. */
export interface BroadcastChannelInfoSessionManagerOptions
  extends ClusterInfoSessionManagerOptions {
  /** The name and timings of this node. */
  readonly cluster?: ClusterOptions | undefined;
}

/**
 * Holds the metadata of the sessions of the workers of one process, over a
 * `BroadcastChannel` of its own. `BroadcastChannelSessions` has all three managers on
 * one.
 */
export class BroadcastChannelInfoSessionManager
  extends ClusterInfoSessionManager
  implements AsyncDisposable {
  /** Resolves when the other workers were found and what they have is known. */
  readonly ready: Promise<void>;
  readonly #disconnect: () => Promise<void>;

  /**
   * Makes a node, which joins the others of its name by itself.
   *
   * @param name The name of the cluster, the same in every worker: 1 to 256
   * characters.
   * @param options Limits of this node, its name, and where failures are reported.
   * @throws {InvalidArgumentError} For a name that is none, and for an option that
   * is out of range.
   */
  constructor(
    name: string,
    options?: BroadcastChannelInfoSessionManagerOptions,
  ) {
    const node = createChannelNode(name, "info", options);
    super(node, options);
    this.ready = node.ready;
    this.#disconnect = () => node.close();
    node.start();
  }

  /** Forgets everything on this node, and leaves the others. */
  override async close(): Promise<void> {
    await this.#disconnect();
    await super.close();
  }

  /** Ends what is on this node, and leaves the others. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
