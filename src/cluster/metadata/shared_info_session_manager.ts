import { safeCallback } from "../../runtime/callbacks.ts";
import { SessionNotFoundError } from "../../errors.ts";
import {
  assertLevel,
  assertOpen,
  assertUri,
  rejectAndReport,
} from "../../metadata/metadata_values.ts";
import { serialize } from "../../metadata/serialize.ts";
import type { SessionRegistration } from "../../metadata/session_records.ts";
import { InfoSessionManager } from "../../contracts/info_session_manager.ts";
import type {
  ClientCapabilities,
  ClientInfo,
  LoggingLevel,
} from "../../protocol/mcp_types.ts";
import { assertSessionId } from "../../protocol/session_id.ts";
import type { MetadataField, MetadataStore } from "./metadata_store.ts";

/**
 * Remembers what each client said about itself, in a store that all nodes share
 * or have a copy of.
 *
 * A write resolves when the other nodes can read it. If a value is invalid, the
 * setter returns a rejected promise and also reports the error to `onError`. It
 * never throws synchronously and never causes an unhandled rejection.
 */
export class SharedInfoSessionManager extends InfoSessionManager {
  readonly #store: MetadataStore;
  readonly #report: (error: Error) => void;
  #isClosed = false;

  /**
   * Creates a manager.
   *
   * @param store Stores the metadata.
   * @param onError Called with refused writes.
   */
  constructor(
    store: MetadataStore,
    onError: ((error: Error) => void) | undefined,
  ) {
    super();
    this.#store = store;
    this.#report = safeCallback("onError", onError);
  }

  /**
   * Returns the name and version of a session's client.
   *
   * @param id The session ID.
   * @throws {SessionNotFoundError} If no node has it. As a rejected promise.
   */
  override async getClientInfo(id: string): Promise<ClientInfo> {
    return JSON.parse(await this.#read(id, "clientInfo", "client info"));
  }

  /**
   * Stores the name and version of a session's client.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param info A JSON object; `undefined` removes the stored one.
   * @throws {InvalidArgumentError} If the ID or the value is invalid. As a
   * rejected promise.
   */
  override setClientInfo(
    id: string,
    info: ClientInfo | undefined,
  ): Promise<void> {
    return this.#write(id, "clientInfo", () => serialize("info", info));
  }

  /**
   * Returns the capabilities of a session's client.
   *
   * @param id The session ID.
   * @throws {SessionNotFoundError} If no node has them. As a rejected promise.
   */
  override async getClientCapabilities(
    id: string,
  ): Promise<ClientCapabilities> {
    const name = "client capabilities";
    return JSON.parse(await this.#read(id, "clientCapabilities", name));
  }

  /**
   * Stores the capabilities of a session's client.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param capabilities A JSON object; `undefined` removes the stored one.
   * @throws {InvalidArgumentError} If the ID or the value is invalid. As a
   * rejected promise.
   */
  override setClientCapabilities(
    id: string,
    capabilities: ClientCapabilities | undefined,
  ): Promise<void> {
    return this.#write(
      id,
      "clientCapabilities",
      () => serialize("capabilities", capabilities),
    );
  }

  /**
   * Returns the least urgent level of log messages that a session wants.
   *
   * @param id The session ID.
   * @throws {SessionNotFoundError} If no node has it. As a rejected promise.
   */
  override async getLogLevel(id: string): Promise<LoggingLevel> {
    return await this.#read(id, "logLevel", "log level") as LoggingLevel;
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
  ): Promise<void> {
    return this.#write(id, "logLevel", () => {
      assertLevel(level);
      return level;
    });
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
   */
  override addSubscription(id: string, uri: string): Promise<void> {
    return this.#change(id, () => {
      assertUri(uri);
      return this.#store.subscribe(id, uri);
    });
  }

  /**
   * Ends a session's subscription to a resource. Does nothing if there is none.
   *
   * @param id The session ID.
   * @param uri The URI of the resource.
   */
  override async removeSubscription(id: string, uri: string): Promise<void> {
    if (this.#isClosed || typeof id !== "string") return;
    await this.#store.unsubscribe(id, uri);
  }

  /**
   * Removes everything that is stored for a session, including its
   * subscriptions, on every node. Does nothing if the ID is unknown.
   *
   * @param id The session ID.
   */
  override async delete(id: string): Promise<void> {
    if (this.#isClosed || typeof id !== "string") return;
    await this.#store.delete(id);
  }

  /**
   * Registers a session that this server began, and its principal. See
   * `InMemoryInfoSessionManager.register`.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param registration The principal. Each node records its own start event
   * ID.
   * @returns Whether the session belongs to the principal: false if another one
   * has the ID.
   * @throws {InvalidArgumentError} If the ID is invalid.
   * @throws {SessionLimitError} If `maxSessions` is reached.
   * @throws {ClosedError} After {@linkcode close}.
   */
  async register(
    id: string,
    { principal }: Pick<SessionRegistration, "principal">,
  ): Promise<boolean> {
    assertSessionId(id);
    assertOpen(this.#isClosed);
    return await this.#store.register(id, principal);
  }

  /**
   * Returns the registration of a session, on any node. Does not count as use
   * of it.
   *
   * @param id The session ID.
   */
  async registration(id: string): Promise<SessionRegistration | undefined> {
    return this.#isClosed ? undefined : await this.#store.registration(id);
  }

  /**
   * Marks a session as used.
   *
   * @param id The session ID.
   */
  touch(id: string): void {
    this.#store.touch(id);
  }

  /**
   * For how many sessions this node found that they expired after
   * `idleTimeoutMs`.
   */
  get expired(): number {
    return this.#store.expired;
  }

  /**
   * Removes everything on this node. Later writes are refused with a
   * `ClosedError`. The other nodes keep what they have.
   */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#store.close();
    return Promise.resolve();
  }

  async #read(
    id: string,
    field: MetadataField,
    name: string,
  ): Promise<string> {
    const value = this.#isClosed || typeof id !== "string"
      ? undefined
      : await this.#store.read(id, field);
    if (value === undefined) throw new SessionNotFoundError(id, name);
    return value;
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
  #change(id: string, change: () => Promise<void>): Promise<void> {
    try {
      assertSessionId(id);
      assertOpen(this.#isClosed);
      const changed = change();
      // The caller may not wait for it.
      changed.catch(this.#report);
      return changed;
    } catch (error) {
      return rejectAndReport(error, this.#report);
    }
  }
}
