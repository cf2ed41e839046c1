import {
  assertKnownOptions,
  CLUSTER_OPTIONS,
  INFO_OPTIONS,
} from "../contracts/known_options.ts";
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
 * Stores the metadata of all workers of one process, over its own
 * `BroadcastChannel`. `BroadcastChannelSessions` has all three managers on one
 * channel.
 */
export class BroadcastChannelInfoSessionManager
  extends ClusterInfoSessionManager {
  /**
   * Resolves when the other workers were found and their metadata was received.
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
    options?: BroadcastChannelInfoSessionManagerOptions,
  ) {
    assertKnownOptions(options, { ...INFO_OPTIONS, ...CLUSTER_OPTIONS });
    const node = createChannelNode(name, "info", options);
    super(node, options);
    this.ready = node.ready;
    this.#disconnect = () => node.close();
    node.start();
  }

  /** Removes everything on this node, and leaves the cluster. */
  override async close(): Promise<void> {
    await this.#disconnect();
    await super.close();
  }
}
