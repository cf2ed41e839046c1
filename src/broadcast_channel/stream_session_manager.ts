import {
  ClusterStreamSessionManager,
  type ClusterStreamSessionManagerOptions,
} from "../cluster/stream_session_manager.ts";
import type { ClusterOptions } from "../cluster/membership/options.ts";
import type { CloseOptions } from "../contracts/options.ts";
import { createChannelNode } from "./node.ts";

/** Options of a {@linkcode BroadcastChannelStreamSessionManager}. */
export interface BroadcastChannelStreamSessionManagerOptions
  extends ClusterStreamSessionManagerOptions {
  /** The name and timings of this node. */
  readonly cluster?: ClusterOptions | undefined;
}

/**
 * Holds the streams of the workers of one process, over a `BroadcastChannel` of its
 * own. `BroadcastChannelSessions` has all three managers on one.
 */
export class BroadcastChannelStreamSessionManager
  extends ClusterStreamSessionManager
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
    options?: BroadcastChannelStreamSessionManagerOptions,
  ) {
    const node = createChannelNode(name, "streams", options);
    super(node, options);
    this.ready = node.ready;
    this.#disconnect = () => node.close();
    node.start();
  }

  /** Closes the streams of this node, and leaves the others. */
  override async close(options?: CloseOptions): Promise<void> {
    await super.close(options);
    await this.#disconnect();
  }

  /** Ends what is on this node, and leaves the others. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
