import { StoredInfoSessionManager } from "../cluster/metadata/shared_info_session_manager.ts";
import type { InfoOptions, ReportingOptions } from "../contracts/options.ts";
import { resolveInfoOptions } from "../contracts/resolve_options.ts";
import { Backend, type RedisOptions } from "./redis_node.ts";
import type { RedisClients } from "./connection/clients.ts";
import { RedisInfoStore } from "./metadata/metadata_store.ts";
import { ttlOf } from "./stores.ts";

/** Options of a {@linkcode RedisInfoSessionManager}. */
export interface RedisInfoSessionManagerOptions
  extends InfoOptions, ReportingOptions, RedisOptions {}

/**
 * Remembers in Redis what each client said of itself. What nobody has used for
 * `idleMs` expires there. `RedisSessions` has all three managers on one node.
 */
export class RedisInfoSessionManager extends StoredInfoSessionManager
  implements AsyncDisposable {
  /**
   * Resolves when the other nodes were found; rejects when the clients or their
   * server cannot be used, and says what to do.
   */
  readonly ready: Promise<void>;
  readonly #leave: () => Promise<void>;

  /**
   * Makes a node, which joins the others of its prefix by itself.
   *
   * @param clients Two connected clients, which stay the user's.
   * @param options Limits, the name of this node, and where failures are reported.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(clients: RedisClients, options?: RedisInfoSessionManagerOptions) {
    const { idleMs, maxSessions } = resolveInfoOptions(options);
    const backend = new Backend(clients, "info", options);
    const store = new RedisInfoStore(backend, {
      ttlMs: ttlOf(idleMs),
      maxSessions,
      flushed: undefined,
    });
    super(store, options?.onError);
    this.ready = backend.ready;
    this.#leave = () => backend.close();
    backend.start();
  }

  /** Forgets what this node knows, and leaves the others. What is stored stays. */
  override async close(): Promise<void> {
    await this.#leave();
    await super.close();
  }

  /** The same as {@linkcode close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
