import { SessionNotFoundError } from "../errors.ts";
import { InfoSessionManager } from "../contracts/info_session_manager.ts";
import type { SessionData } from "../contracts/session_data.ts";
import type {
  ClientCapabilities,
  ClientInfo,
  LoggingLevel,
} from "../protocol/mcp_types.ts";
import { assertSessionId } from "../protocol/session_id.ts";
import { safeCallback } from "../runtime/callbacks.ts";
import type {
  MaybePromise,
  MetadataField,
  MetadataStore,
} from "./metadata_store.ts";
import {
  assertLevel,
  assertOpen,
  assertUri,
  rejectAndReport,
  type ValueLimits,
} from "./metadata_values.ts";
import { ClientValues } from "./client_values.ts";
import { createRegistry, type SessionRegistry } from "./session_registry.ts";
import { serializeData } from "./serialize.ts";

/**
 * Returns the registry of an info manager. The guard needs it, users don't: they
 * would begin sessions that no client knows.
 */
export let sessionRegistryOf: (
  manager: StoredInfoSessionManager,
) => SessionRegistry;

/**
 * Remembers what each client said about itself, and a value of your own for each
 * session, in a store.
 *
 * Getters return copies. In a cluster, a write resolves when the other nodes can
 * read it. If a value is invalid, the setter returns a rejected promise and also
 * reports the error to `onError`. It never throws synchronously and never causes
 * an unhandled rejection, because tmcp's transports do not wait for it.
 */
export class StoredInfoSessionManager extends InfoSessionManager
  implements SessionData, AsyncDisposable {
  static {
    sessionRegistryOf = (manager) => manager.#registry;
  }

  readonly #store: MetadataStore;
  readonly #limits: ValueLimits;
  readonly #values: ClientValues;
  readonly #report: (error: Error) => void;
  readonly #registry: SessionRegistry;
  #isClosed = false;

  /**
   * Creates a manager.
   *
   * @param store Stores the metadata.
   * @param limits How long values may be.
   * @param onError Called with refused writes.
   */
  constructor(
    store: MetadataStore,
    limits: ValueLimits,
    onError: ((error: Error) => void) | undefined,
  ) {
    super();
    this.#store = store;
    this.#limits = limits;
    this.#values = new ClientValues(limits);
    this.#report = safeCallback("onError", onError);
    this.#registry = createRegistry(
      store,
      this.#values,
      () => this.#isClosed,
    );
  }

  /**
   * Returns the name and version of a session's client.
   *
   * @param id The session ID.
   * @throws {SessionNotFoundError} If nothing is stored. Always as a rejected
   * promise.
   */
  override getClientInfo(id: string): Promise<ClientInfo> {
    return this.#read(id, "clientInfo", "client info", JSON.parse);
  }

  /**
   * Stores the name and version of a session's client.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param info A JSON object; `undefined` removes the stored one.
   * @throws {InvalidArgumentError} If the ID or the value is invalid. As a
   * rejected promise.
   * @throws {LimitError} If it exceeds `maxClientInfoBytes`. As a rejected
   * promise.
   */
  override setClientInfo(
    id: string,
    info: ClientInfo | undefined,
  ): void | Promise<void> {
    return this.#write(
      id,
      "clientInfo",
      () => this.#values.serialize(id, "info", info, "maxClientInfoBytes"),
    );
  }

  /**
   * Returns the capabilities of a session's client.
   *
   * @param id The session ID.
   * @throws {SessionNotFoundError} If nothing is stored. Always as a rejected
   * promise.
   */
  override getClientCapabilities(id: string): Promise<ClientCapabilities> {
    const name = "client capabilities";
    return this.#read(id, "clientCapabilities", name, JSON.parse);
  }

  /**
   * Stores the capabilities of a session's client.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param capabilities A JSON object; `undefined` removes the stored one.
   * @throws {InvalidArgumentError} If the ID or the value is invalid. As a
   * rejected promise.
   * @throws {LimitError} If they exceed `maxCapabilitiesBytes`. As a rejected
   * promise.
   */
  override setClientCapabilities(
    id: string,
    capabilities: ClientCapabilities | undefined,
  ): void | Promise<void> {
    const option = "maxCapabilitiesBytes";
    return this.#write(
      id,
      "clientCapabilities",
      () => this.#values.serialize(id, "capabilities", capabilities, option),
    );
  }

  /**
   * Returns the least urgent level of log messages that a session wants.
   *
   * @param id The session ID.
   * @throws {SessionNotFoundError} If nothing is stored. Always as a rejected
   * promise.
   */
  override getLogLevel(id: string): Promise<LoggingLevel> {
    const parse = (level: string) => level as LoggingLevel;
    return this.#read(id, "logLevel", "log level", parse);
  }

  /**
   * Stores the least urgent level of log messages that a session wants.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param level One of the eight levels; `undefined` removes the stored one.
   * @throws {InvalidArgumentError} If the ID or the level is invalid. As a
   * rejected promise.
   */
  override setLogLevel(
    id: string,
    level: LoggingLevel | undefined,
  ): void | Promise<void> {
    return this.#write(id, "logLevel", () => {
      assertLevel(level);
      return level;
    });
  }

  /**
   * Returns the value that {@linkcode setData} has stored for a session, as a
   * copy; undefined if it has none.
   *
   * @param id The session ID.
   */
  async getData(id: string): Promise<unknown> {
    if (this.#isClosed || typeof id !== "string") return undefined;
    const stored = await this.#store.read(id, "data");
    return stored === undefined ? undefined : JSON.parse(stored);
  }

  /**
   * Stores a value of your own for a session. It replaces the earlier one, and
   * is deleted with the session.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param data A value that is serializable as JSON, up to `maxDataBytes`
   * [65,536] long; `undefined` removes the stored one.
   * @throws {InvalidArgumentError} If the ID or the value is invalid, or the
   * value is too large. As a rejected promise.
   */
  setData(id: string, data: unknown): void | Promise<void> {
    const prepare = () => serializeData(data, this.#limits.maxDataBytes);
    return this.#write(id, "data", prepare);
  }

  /**
   * Returns the sessions that subscribed to a resource, each once, in no
   * particular order.
   *
   * @param uri The URI of the resource, compared character by character.
   */
  override async getSubscriptions(uri: string): Promise<string[]> {
    return this.#isClosed ? [] : await this.#store.sessionsSubscribedTo(uri);
  }

  /**
   * Subscribes a session to a resource. Subscribing twice changes nothing.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param uri The URI of the resource, any string.
   * @throws {InvalidArgumentError} If the ID or the URI is invalid. As a
   * rejected promise.
   * @throws {LimitError} If the URI exceeds `maxUriBytes`, or the session has
   * `maxSubscriptionsPerSession` subscriptions. As a rejected promise.
   */
  override addSubscription(id: string, uri: string): void | Promise<void> {
    return this.#change(id, () => {
      assertUri(uri, this.#limits);
      return this.#store.subscribe(id, uri);
    });
  }

  /**
   * Ends a session's subscription to a resource. Does nothing if there is none.
   *
   * @param id The session ID.
   * @param uri The URI of the resource.
   */
  override removeSubscription(id: string, uri: string): void | Promise<void> {
    if (this.#isClosed || typeof id !== "string") return Promise.resolve();
    return Promise.resolve(this.#store.unsubscribe(id, uri));
  }

  /**
   * Removes everything that is stored for a session, including its
   * subscriptions, on every node. Does nothing if the ID is unknown.
   *
   * @param id The session ID.
   */
  override delete(id: string): void | Promise<void> {
    if (this.#isClosed || typeof id !== "string") return Promise.resolve();
    const deleted = this.#store.delete(id, "deleted");
    return typeof deleted === "boolean"
      ? Promise.resolve()
      : deleted.then(() => {});
  }

  /**
   * For how many sessions the metadata expired after `idleTimeoutMs`, as far as
   * this process found out.
   */
  get expired(): number {
    return this.#store.expired;
  }

  /**
   * Removes everything in this process. Later writes are refused with a
   * `ClosedError`. Other nodes keep what they have. Calling it again changes
   * nothing.
   */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#store.close();
    return Promise.resolve();
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Runs a getter; errors become a rejected promise. */
  async #read<Value>(
    id: string,
    field: MetadataField,
    name: string,
    parse: (stored: string) => Value,
  ): Promise<Value> {
    const read = this.#isClosed || typeof id !== "string"
      ? undefined
      : this.#store.read(id, field);
    const stored = read instanceof Promise ? await read : read;
    if (stored === undefined) throw new SessionNotFoundError(id, name);
    return parse(stored);
  }

  #write(
    id: string,
    field: MetadataField,
    prepare: () => string | undefined,
  ): Promise<void> {
    return this.#change(
      id,
      () => this.#store.write(id, field, prepare() ?? null),
    );
  }

  /** Changes what is stored for a session. */
  #change(id: string, change: () => MaybePromise<void>): Promise<void> {
    try {
      assertSessionId(id);
      assertOpen(this.#isClosed);
      const changed = Promise.resolve(change());
      // The caller may not wait for it.
      changed.catch(this.#report);
      return changed;
    } catch (error) {
      return rejectAndReport(error, this.#report);
    }
  }
}
