import {
  ClusterSubscriptionManager,
  type ClusterSubscriptionManagerOptions,
} from "../cluster/subscription_manager.ts";
import { RedisNode, type RedisOptions } from "./redis_node.ts";
import type { RedisClients } from "./connection/clients.ts";

/** Options of a {@linkcode RedisSubscriptionManager}. */
export interface RedisSubscriptionManagerOptions
  extends ClusterSubscriptionManagerOptions, RedisOptions {}

/**
 * Holds the subscriptions of the processes that share a Redis server, on channels of
 * its own. `RedisSessions` has all three managers on one node.
 */
export class RedisSubscriptionManager extends ClusterSubscriptionManager
  implements AsyncDisposable {
  /**
   * Resolves when the other nodes were found; rejects when the clients or their
   * server cannot be used, and says what to do.
   */
  readonly ready: Promise<void>;
  readonly #disconnect: () => Promise<void>;

  /**
   * Makes a node, which joins the others of its prefix by itself.
   *
   * @param clients Two connected clients, which stay the user's.
   * @param options Limits of this node, its name, and where failures are reported.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(
    clients: RedisClients,
    options?: RedisSubscriptionManagerOptions,
  ) {
    const backend = new RedisNode(clients, "subscriptions", options);
    super(backend.node, options);
    this.ready = backend.ready;
    this.#disconnect = () => backend.close();
    backend.start();
  }

  /** Ends the subscriptions of this node, and leaves the others. */
  override async dispose(): Promise<void> {
    await super.dispose();
    await this.#disconnect();
  }

  /** Ends what is on this node, and leaves the others. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
