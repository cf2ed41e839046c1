import { safeCallback } from "../runtime/callbacks.ts";
import { SessionNotFoundError } from "../errors.ts";
import { InfoSessionManager } from "../contracts/info_session_manager.ts";
import type {
  ClientCapabilities,
  ClientInfo,
  LoggingLevel,
} from "../protocol/mcp_types.ts";
import type {
  ErrorReportingOptions,
  InfoOptions,
} from "../contracts/options.ts";
import {
  objectOption,
  resolveInfoOptions,
} from "../contracts/resolve_options.ts";
import { assertSessionId } from "../protocol/session_id.ts";
import type { StreamSessionManager } from "../contracts/stream_session_manager.ts";
import {
  assertLevel,
  assertOpen,
  assertUri,
  rejectAndReport,
} from "../metadata/metadata_values.ts";
import { serialize } from "../metadata/serialize.ts";
import {
  type SessionRecord,
  SessionRecords,
  type SessionRegistration,
} from "../metadata/session_records.ts";
import { ResourceSubscriptions } from "../metadata/resource_subscriptions.ts";
import { sharedScheduler } from "../runtime/scheduler.ts";

/** Options of an {@linkcode InMemoryInfoSessionManager}. */
export interface InMemoryInfoSessionManagerOptions
  extends InfoOptions, ErrorReportingOptions {
  /**
   * The manager of the same sessions' streams: one with an open stream is in use.
   *
   * @default undefined only reads and writes are use
   */
  readonly streams?: Pick<StreamSessionManager, "has"> | undefined;
}

/**
 * Remembers in this process what each client said of itself.
 *
 * Every getter hands out a copy. What nobody has used for `idleTimeoutMs` is forgotten. A
 * setter that refuses its value answers with a rejected promise and tells
 * `onError`; it never throws in place and never ends as an unhandled rejection,
 * because tmcp's transports do not wait for it.
 *
 * @example
 * ```ts
 * import { InMemoryInfoSessionManager } from "@crossmcp/session-manager";
 *
 * const info = new InMemoryInfoSessionManager({ onError: console.error });
 * await info.setLogLevel("session-1", "warning");
 * console.log(await info.getLogLevel("session-1")); // warning
 * await info.delete("session-1");
 * ```
 */
export class InMemoryInfoSessionManager extends InfoSessionManager
  implements AsyncDisposable {
  readonly #records: SessionRecords;
  readonly #subscribed = new ResourceSubscriptions();
  readonly #report: (error: Error) => void;
  #expired = 0;
  #closed = false;

  /**
   * Makes a manager without metadata.
   *
   * @param options Limits, and where refused writes are reported.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(options?: InMemoryInfoSessionManagerOptions) {
    super();
    const { onError, streams } = objectOption("options", options);
    this.#report = safeCallback("onError", onError);
    this.#records = new SessionRecords(
      { ...resolveInfoOptions(options), streams },
      {
        newRecord: (lastUsedAt) => ({ lastUsedAt }),
        onExpire: (id) => {
          this.#subscribed.removeSession(id);
          this.#expired++;
        },
        onError: this.#report,
      },
      sharedScheduler(streams ?? this),
    );
  }

  /**
   * What the client of a session says it is.
   *
   * @param id The session.
   * @throws {SessionNotFoundError} When nothing is stored; always as a rejected
   * promise.
   */
  override getClientInfo(id: string): Promise<ClientInfo> {
    return read(
      id,
      "client info",
      this.#records.touch(id)?.clientInfo,
      JSON.parse,
    );
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
  ): void | Promise<void> {
    return this.#write(id, () => {
      const clientInfo = serialize("info", info);
      return (record) => record.clientInfo = clientInfo;
    });
  }

  /**
   * What the client of a session can do.
   *
   * @param id The session.
   * @throws {SessionNotFoundError} When nothing is stored; always as a rejected
   * promise.
   */
  override getClientCapabilities(id: string): Promise<ClientCapabilities> {
    return read(
      id,
      "client capabilities",
      this.#records.touch(id)?.clientCapabilities,
      JSON.parse,
    );
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
  ): void | Promise<void> {
    return this.#write(id, () => {
      const clientCapabilities = serialize("capabilities", capabilities);
      return (record) => record.clientCapabilities = clientCapabilities;
    });
  }

  /**
   * The least urgent level of log messages that a session wants.
   *
   * @param id The session.
   * @throws {SessionNotFoundError} When nothing is stored; always as a rejected
   * promise.
   */
  override getLogLevel(id: string): Promise<LoggingLevel> {
    return read(
      id,
      "log level",
      this.#records.touch(id)?.logLevel,
      (level) => level,
    );
  }

  /**
   * Stores the least urgent level of log messages that a session wants.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param level One of the eight levels; `undefined` removes what is stored.
   * @throws {InvalidArgumentError} For an id or a level that is none; as a
   * rejected promise.
   */
  override setLogLevel(
    id: string,
    level: LoggingLevel | undefined,
  ): void | Promise<void> {
    return this.#write(id, () => {
      assertLevel(level);
      return (record) => record.logLevel = level;
    });
  }

  /**
   * The sessions that subscribed to a resource, each once, in no fixed order.
   *
   * @param uri The resource, compared character by character.
   */
  override getSubscriptions(uri: string): Promise<string[]> {
    return Promise.resolve(this.#subscribed.sessionsOf(uri));
  }

  /**
   * Subscribes a session to a resource. Doing it twice changes nothing.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param uri The resource, any string.
   * @throws {InvalidArgumentError} For an id or a URI that is none; as a rejected
   * promise.
   */
  override addSubscription(id: string, uri: string): void | Promise<void> {
    return this.#write(id, () => {
      assertUri(uri);
      return () => this.#subscribed.add(id, uri);
    });
  }

  /**
   * Ends a session's subscription to a resource. An unknown pair changes nothing.
   *
   * @param id The session.
   * @param uri The resource.
   */
  override removeSubscription(id: string, uri: string): void | Promise<void> {
    const record = this.#records.touch(id);
    this.#subscribed.remove(id, uri);
    if (record !== undefined) this.#deleteIfEmpty(id, record);
    return Promise.resolve();
  }

  /**
   * Forgets all that is stored of a session, its subscriptions included. It costs
   * what the session owns. An unknown id changes nothing.
   *
   * @param id The session.
   */
  override delete(id: string): void | Promise<void> {
    this.#records.delete(id);
    this.#subscribed.removeSession(id);
    return Promise.resolve();
  }

  /**
   * Notes that the server itself began a session, and for whom.
   *
   * `sessions.guard` does this for every id that a transport hands out.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param registration For whom, and what {@linkcode
   * InMemoryStreamSessionManager.position} is now.
   * @returns Whether it is that principal's: false for an id that another has.
   * @throws {InvalidArgumentError} For an id that is none.
   * @throws {SessionLimitError} When there is no place for another session.
   * @throws {ClosedError} After {@linkcode close}.
   */
  register(id: string, registration: SessionRegistration): boolean {
    assertSessionId(id);
    assertOpen(this.#closed);
    const record = this.#records.getOrCreate(id);
    record.registration ??= {
      principal: registration.principal,
      startEventId: registration.startEventId,
    };
    return record.registration.principal === registration.principal;
  }

  /**
   * How a session was registered. Asking is no use of the session.
   *
   * @param id The session.
   */
  registration(id: string): SessionRegistration | undefined {
    return this.#records.get(id)?.registration;
  }

  /**
   * Notes that a session is in use.
   *
   * @param id The session.
   */
  touch(id: string): void {
    this.#records.touch(id);
  }

  /** Of how many sessions the metadata was forgotten after `idleTimeoutMs`. */
  get expired(): number {
    return this.#expired;
  }

  /**
   * Forgets everything. Later writes are refused with a `ClosedError`. Calling it
   * again changes nothing.
   */
  close(): Promise<void> {
    this.#closed = true;
    this.#records.clear();
    this.#subscribed.clear();
    return Promise.resolve();
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Changes what is stored of a session.
   *
   * @param id The session.
   * @param prepare Checks the new value, and returns what stores it.
   */
  #write(
    id: string,
    prepare: () => (record: SessionRecord) => void,
  ): Promise<void> {
    try {
      assertSessionId(id);
      assertOpen(this.#closed);
      const store = prepare();
      const record = this.#records.getOrCreate(id);
      store(record);
      this.#deleteIfEmpty(id, record);
      return Promise.resolve();
    } catch (error) {
      return rejectAndReport(error, this.#report);
    }
  }

  /** Forgets a session of which nothing is left. */
  #deleteIfEmpty(id: string, record: SessionRecord): void {
    const { clientInfo, clientCapabilities, logLevel, registration } = record;
    const isEmpty = (clientInfo ?? clientCapabilities ?? logLevel ??
      registration) === undefined;
    if (isEmpty && !this.#subscribed.hasSession(id)) this.#records.delete(id);
  }
}

/** What a getter answers: a promise in every case. */
function read<Stored, Value>(
  id: string,
  wanted: string,
  stored: Stored | undefined,
  restore: (stored: Stored) => Value,
): Promise<Value> {
  return stored === undefined
    ? Promise.reject(new SessionNotFoundError(id, wanted))
    : Promise.resolve(restore(stored));
}
