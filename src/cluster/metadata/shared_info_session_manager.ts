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
 * Remembers what each client said of itself, in a store that all nodes share or have
 * a copy of.
 *
 * A write resolves when the other nodes can read it. A setter that refuses its value
 * answers with a rejected promise and tells `onError`; it never throws in place and
 * never ends as an unhandled rejection.
 */
export class SharedInfoSessionManager extends InfoSessionManager {
  readonly #store: MetadataStore;
  readonly #report: (error: Error) => void;
  #isClosed = false;

  /**
   * Makes a manager.
   *
   * @param store What keeps the metadata.
   * @param onError Told of refused writes.
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
   * What the client of a session says it is.
   *
   * @param id The session.
   * @throws {SessionNotFoundError} When no node has it; always as a rejected
   * promise.
   */
  override async getClientInfo(id: string): Promise<ClientInfo> {
    return JSON.parse(await this.#read(id, "clientInfo", "client info"));
  }

  /**
   * Stores what the client of a session says it is.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param info A JSON object; `undefined` removes what is stored.
   * @throws {InvalidArgumentError} For an id or a value that is none; as a
   * rejected promise.
   */
  override setClientInfo(
    id: string,
    info: ClientInfo | undefined,
  ): Promise<void> {
    return this.#write(id, "clientInfo", () => serialize("info", info));
  }

  /**
   * What the client of a session can do.
   *
   * @param id The session.
   * @throws {SessionNotFoundError} When no node has it; always as a rejected
   * promise.
   */
  override async getClientCapabilities(
    id: string,
  ): Promise<ClientCapabilities> {
    const name = "client capabilities";
    return JSON.parse(await this.#read(id, "clientCapabilities", name));
  }

  /**
   * Stores what the client of a session can do.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param capabilities A JSON object; `undefined` removes what is stored.
   * @throws {InvalidArgumentError} For an id or a value that is none; as a
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
   * The least urgent level of log messages that a session wants.
   *
   * @param id The session.
   * @throws {SessionNotFoundError} When no node has it; always as a rejected
   * promise.
   */
  override async getLogLevel(id: string): Promise<LoggingLevel> {
    return await this.#read(id, "logLevel", "log level") as LoggingLevel;
  }

  /**
   * Stores the least urgent level of log messages that a session wants.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param level One of the eight levels; `undefined` removes what is stored.
   * @throws {InvalidArgumentError} For an id or a value that is none; as a
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
   * The sessions that subscribed to a resource, each once, in no fixed order.
   *
   * @param uri The resource, compared character by character.
   */
  override async getSubscriptions(uri: string): Promise<string[]> {
    return this.#isClosed ? [] : await this.#store.sessionsSubscribedTo(uri);
  }

  /**
   * Subscribes a session to a resource. Doing it twice changes nothing.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param uri The resource, any string.
   * @throws {InvalidArgumentError} For an id or a value that is none; as a
   * rejected promise.
   */
  override addSubscription(id: string, uri: string): Promise<void> {
    return this.#change(id, () => {
      assertUri(uri);
      return this.#store.subscribe(id, uri);
    });
  }

  /**
   * Ends a session's subscription to a resource. An unknown pair changes nothing.
   *
   * @param id The session.
   * @param uri The resource.
   */
  override async removeSubscription(id: string, uri: string): Promise<void> {
    if (this.#isClosed || typeof id !== "string") return;
    await this.#store.unsubscribe(id, uri);
  }

  /**
   * Forgets all that is stored of a session, its subscriptions included, on every
   * node. An unknown id changes nothing.
   *
   * @param id The session.
   */
  override async delete(id: string): Promise<void> {
    if (this.#isClosed || typeof id !== "string") return;
    await this.#store.delete(id);
  }

  /**
   * Notes that the server itself began a session, and for whom, see
   * `InMemoryInfoSessionManager.register`.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param registration For whom; from where on events are its own, each node knows
   * for itself.
   * @returns Whether it is that principal's: false for an id that another has.
   * @throws {InvalidArgumentError} For an id that is none.
   * @throws {SessionLimitError} When there is no place for another session.
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
   * How a session was registered, on whichever node. Asking is no use of the
   * session.
   *
   * @param id The session.
   */
  async registration(id: string): Promise<SessionRegistration | undefined> {
    return this.#isClosed ? undefined : await this.#store.registration(id);
  }

  /**
   * Notes that a session is in use.
   *
   * @param id The session.
   */
  touch(id: string): void {
    this.#store.touch(id);
  }

  /** Of how many sessions this node found that nobody had used them for `idleTimeoutMs`. */
  get expired(): number {
    return this.#store.expired;
  }

  /**
   * Forgets everything on this node. Later writes are refused with a `ClosedError`.
   * The other nodes keep what they have.
   */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#store.close();
    return Promise.resolve();
  }

  async #read(
    id: string,
    field: MetadataField,
    wanted: string,
  ): Promise<string> {
    const value = this.#isClosed || typeof id !== "string"
      ? undefined
      : await this.#store.read(id, field);
    if (value === undefined) throw new SessionNotFoundError(id, wanted);
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

  /** Changes what is stored of a session. */
  #change(id: string, change: () => Promise<void>): Promise<void> {
    try {
      assertSessionId(id);
      assertOpen(this.#isClosed);
      const changed = change();
      // Nobody may wait for it.
      changed.catch(this.#report);
      return changed;
    } catch (error) {
      return rejectAndReport(error, this.#report);
    }
  }
}
