import {
  assertKnownOptions,
  STREAM_OPTIONS,
} from "../contracts/known_options.ts";
import { REDIS_OPTIONS } from "./redis_node.ts";
import { ClusterStreamSessionManager } from "../cluster/stream_session_manager.ts";
import type { ClusterStreamSessionManagerOptions } from "../cluster/stream_options.ts";
import type { CloseOptions } from "../contracts/options.ts";
import { RedisNode, type RedisOptions } from "./redis_node.ts";
import type { RedisClient, RedisClients } from "./clients/client_types.ts";
import { createStores, DEFAULT_TTL_MS } from "./stores.ts";

/** Options of a {@linkcode RedisStreamSessionManager}. */
export interface RedisStreamSessionManagerOptions
  extends ClusterStreamSessionManagerOptions, RedisOptions {}

/**
 * Holds the streams of processes that share a Redis server, on its own
 * channels. `RedisSessions` has all three managers on one node.
 */
export class RedisStreamSessionManager extends ClusterStreamSessionManager
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
    options?: RedisStreamSessionManagerOptions,
  ) {
    assertKnownOptions(options, { ...STREAM_OPTIONS, ...REDIS_OPTIONS });
    const redisNode = new RedisNode(client, "streams", options);
    super(
      redisNode.node,
      options,
      createStores(redisNode, DEFAULT_TTL_MS).stores,
    );
    this.ready = redisNode.ready;
    this.#disconnect = () => redisNode.close();
    redisNode.start();
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
