import {
  assertKnownOptions,
  INFO_OPTIONS,
} from "../contracts/known_options.ts";
import { REDIS_OPTIONS } from "./redis_node.ts";
import { StoredInfoSessionManager } from "../metadata/stored_info_session_manager.ts";
import type {
  ErrorReportingOptions,
  InfoOptions,
} from "../contracts/options.ts";
import { resolveInfoOptions } from "../contracts/resolve_options.ts";
import { RedisNode, type RedisOptions } from "./redis_node.ts";
import type { RedisClient, RedisClients } from "./clients/client_types.ts";
import { RedisMetadataStore } from "./metadata/metadata_store.ts";
import { ttlOf } from "./stores.ts";

/** Options of a {@linkcode RedisInfoSessionManager}. */
export interface RedisInfoSessionManagerOptions
  extends InfoOptions, ErrorReportingOptions, RedisOptions {}

/**
 * Remembers in Redis what each client said about itself. The metadata of a
 * session that nobody used for `idleTimeoutMs` expires there. `RedisSessions`
 * has all three managers on one node.
 */
export class RedisInfoSessionManager extends StoredInfoSessionManager {
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
    options?: RedisInfoSessionManagerOptions,
  ) {
    assertKnownOptions(options, { ...INFO_OPTIONS, ...REDIS_OPTIONS });
    const limits = resolveInfoOptions(options);
    const redisNode = new RedisNode(client, "info", options);
    const store = new RedisMetadataStore(redisNode, {
      ...limits,
      ttlMs: ttlOf(limits.idleTimeoutMs),
      flushed: undefined,
    });
    super(store, limits, options?.onError);
    this.ready = redisNode.ready;
    this.#disconnect = () => redisNode.close();
    redisNode.start();
  }

  /**
   * Removes what this node remembers, and leaves the cluster. What is stored in
   * Redis stays.
   */
  override async close(): Promise<void> {
    await this.#disconnect();
    await super.close();
  }
}
