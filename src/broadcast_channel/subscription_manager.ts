import {
  assertKnownOptions,
  CLUSTER_OPTIONS,
  SUBSCRIPTION_OPTIONS,
} from "../contracts/known_options.ts";
import {
  ClusterSubscriptionManager,
  type ClusterSubscriptionManagerOptions,
} from "../cluster/subscription_manager.ts";
import type { ClusterOptions } from "../cluster/membership/options.ts";
import { createChannelNode } from "./node.ts";

/** Options of a {@linkcode BroadcastChannelSubscriptionManager}. */
export interface BroadcastChannelSubscriptionManagerOptions
  extends ClusterSubscriptionManagerOptions {
  /** The name and timings of this node. */
  readonly cluster?: ClusterOptions | undefined;
}

/**
 * Holds the subscriptions of all workers of one process, over its own
 * `BroadcastChannel`. `BroadcastChannelSessions` has all three managers on one
 * channel.
 */
export class BroadcastChannelSubscriptionManager
  extends ClusterSubscriptionManager
  implements AsyncDisposable {
  /** Resolves when the other workers were found. */
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
    options?: BroadcastChannelSubscriptionManagerOptions,
  ) {
    assertKnownOptions(options, {
      ...SUBSCRIPTION_OPTIONS,
      ...CLUSTER_OPTIONS,
    });
    const node = createChannelNode(name, "subscriptions", options);
    super(node, options);
    this.ready = node.ready;
    this.#disconnect = () => node.close();
    node.start();
  }

  /** Ends the subscriptions of this node, and leaves the cluster. */
  override async dispose(): Promise<void> {
    await super.dispose();
    await this.#disconnect();
  }

  /**
   * Ends the subscriptions of this node and leaves the cluster, for `await
   * using`.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
