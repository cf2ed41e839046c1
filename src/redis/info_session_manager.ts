import { SharedInfoSessionManager } from "../cluster/metadata/shared_info_session_manager.ts";
import type {
  ErrorReportingOptions,
  InfoOptions,
} from "../contracts/options.ts";
import { resolveInfoOptions } from "../contracts/resolve_options.ts";
import { RedisNode, type RedisOptions } from "./redis_node.ts";
import type { RedisClients } from "./connection/clients.ts";
import { RedisMetadataStore } from "./metadata/metadata_store.ts";
import { ttlOf } from "./stores.ts";

/** Options of a {@linkcode RedisInfoSessionManager}. */
export interface RedisInfoSessionManagerOptions
  extends InfoOptions, ErrorReportingOptions, RedisOptions {}

/**
 * Remembers in Redis what each client said of itself. What nobody has used for
 * `idleTimeoutMs` expires there. `RedisSessions` has all three managers on one node.
 */
export class RedisInfoSessionManager extends SharedInfoSessionManager
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
   * @param options Limits, the name of this node, and where failures are reported.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(clients: RedisClients, options?: RedisInfoSessionManagerOptions) {
    const { idleTimeoutMs, maxSessions } = resolveInfoOptions(options);
    const backend = new RedisNode(clients, "info", options);
    const store = new RedisMetadataStore(backend, {
      ttlMs: ttlOf(idleTimeoutMs),
      maxSessions,
      flushed: undefined,
    });
    super(store, options?.onError);
    this.ready = backend.ready;
    this.#disconnect = () => backend.close();
    backend.start();
  }

  /** Forgets what this node knows, and leaves the others. What is stored stays. */
  override async close(): Promise<void> {
    await this.#disconnect();
    await super.close();
  }

  /** The same as {@linkcode close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
