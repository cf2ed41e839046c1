import {
  assertKnownOptions,
  SUBSCRIPTION_OPTIONS,
} from "../contracts/known_options.ts";
import { REDIS_OPTIONS } from "./redis_node.ts";
import {
  ClusterSubscriptionManager,
  type ClusterSubscriptionManagerOptions,
} from "../cluster/subscription_manager.ts";
import { RedisNode, type RedisOptions } from "./redis_node.ts";
import type { RedisClient, RedisClients } from "./clients/client_types.ts";

/** Options of a {@linkcode RedisSubscriptionManager}. */
export interface RedisSubscriptionManagerOptions
  extends ClusterSubscriptionManagerOptions, RedisOptions {}

/**
 * Holds the subscriptions of processes that share a Redis server, on its own
 * channels. `RedisSessions` has all three managers on one node.
 */
export class RedisSubscriptionManager extends ClusterSubscriptionManager
  implements AsyncDisposable {
  /**
   * Resolves when the other nodes were found. Rejects if the server
   * cannot be used; the error says what to do.
   */
  readonly ready: Promise<void>;
  readonly #disconnect: () => Promise<void>;

  /**
   * Creates a node, which joins the other nodes with the same prefix.
   *
   * @param client A connected client, or two: this does not close them. From
   * one client, a second connection is opened, and closed by `close`.
   * @param options Limits, the name of this node, and callbacks.
   * @throws {InvalidArgumentError} If a client or an option is invalid.
   */
  constructor(
    client: RedisClient | RedisClients,
    options?: RedisSubscriptionManagerOptions,
  ) {
    assertKnownOptions(options, { ...SUBSCRIPTION_OPTIONS, ...REDIS_OPTIONS });
    const redisNode = new RedisNode(client, "subscriptions", options);
    super(redisNode.node, options);
    this.ready = redisNode.ready;
    this.#disconnect = () => redisNode.close();
    redisNode.start();
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
