import {
  assertKnownOptions,
  CLUSTER_OPTIONS,
  STREAM_OPTIONS,
} from "../contracts/known_options.ts";
import { ClusterStreamSessionManager } from "../cluster/stream_session_manager.ts";
import type { ClusterStreamSessionManagerOptions } from "../cluster/stream_options.ts";
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
 * Holds the streams of all workers of one process, over its own
 * `BroadcastChannel`. `BroadcastChannelSessions` has all three managers on one
 * channel.
 */
export class BroadcastChannelStreamSessionManager
  extends ClusterStreamSessionManager
  implements AsyncDisposable {
  /**
   * Resolves when the other workers were found and their sessions are known.
   */
  readonly ready: Promise<void>;
  readonly #disconnect: () => Promise<void>;

  /**
   * Creates a node, which joins the other nodes of the same name.
   *
   * @param name The name of the cluster, the same in every worker: 1 to 256
   * characters.
   * @param options Limits, the name of this node, and callbacks.
   * @throws {InvalidArgumentError} If the name or an option is invalid.
   */
  constructor(
    name: string,
    options?: BroadcastChannelStreamSessionManagerOptions,
  ) {
    assertKnownOptions(options, { ...STREAM_OPTIONS, ...CLUSTER_OPTIONS });
    const node = createChannelNode(name, "streams", options);
    super(node, options);
    this.ready = node.ready;
    this.#disconnect = () => node.close();
    node.start();
  }

  /** Closes the streams of this node, and leaves the cluster. */
  override async close(options?: CloseOptions): Promise<void> {
    await super.close(options);
    await this.#disconnect();
  }

  /** The same as {@linkcode close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
