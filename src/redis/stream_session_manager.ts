import {
  ClusterStreamSessionManager,
  type ClusterStreamSessionManagerOptions,
} from "../cluster/stream_session_manager.ts";
import type { CloseOptions } from "../contracts/options.ts";
import { RedisNode, type RedisOptions } from "./redis_node.ts";
import type { RedisClients } from "./connection/clients.ts";
import { createStores, DEFAULT_TTL_MS } from "./stores.ts";

/** Options of a {@linkcode RedisStreamSessionManager}. */
export interface RedisStreamSessionManagerOptions
  extends ClusterStreamSessionManagerOptions, RedisOptions {}

/**
 * Holds the streams of the processes that share a Redis server, on channels of its
 * own. `RedisSessions` has all three managers on one node.
 */
export class RedisStreamSessionManager extends ClusterStreamSessionManager
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
    options?: RedisStreamSessionManagerOptions,
  ) {
    const backend = new RedisNode(clients, "streams", options);
    super(backend.node, options, createStores(backend, DEFAULT_TTL_MS).stores);
    this.ready = backend.ready;
    this.#disconnect = () => backend.close();
    backend.start();
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
