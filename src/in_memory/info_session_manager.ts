import {
  assertKnownOptions,
  INFO_OPTIONS,
} from "../contracts/known_options.ts";
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
   * The stream manager of the same sessions: a session with an open stream is
   * in use.
   *
   * @default undefined only reads and writes count as use
   */
  readonly streams?: Pick<StreamSessionManager, "has"> | undefined;
}

/**
 * Remembers in this process what each client said about itself.
 *
 * Getters return copies. The metadata of a session that nobody used for
 * `idleTimeoutMs` is removed. If a value is invalid, the setter returns a
 * rejected promise and also reports the error to `onError`. It never throws
 * synchronously and never causes an unhandled rejection, because tmcp's
 * transports do not wait for it.
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
   * Creates an empty manager.
   *
   * @param options Limits and callbacks.
   * @throws {InvalidArgumentError} If an option is invalid.
   */
  constructor(options?: InMemoryInfoSessionManagerOptions) {
    super();
    assertKnownOptions(options, INFO_OPTIONS);
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
   * Returns the name and version of a session's client.
   *
   * @param id The session ID.
   * @throws {SessionNotFoundError} If nothing is stored. Always as a rejected
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
  ): void | Promise<void> {
    return this.#write(id, () => {
      const clientInfo = serialize("info", info);
      return (record) => record.clientInfo = clientInfo;
    });
  }

  /**
   * Returns the capabilities of a session's client.
   *
   * @param id The session ID.
   * @throws {SessionNotFoundError} If nothing is stored. Always as a rejected
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
  ): void | Promise<void> {
    return this.#write(id, () => {
      const clientCapabilities = serialize("capabilities", capabilities);
      return (record) => record.clientCapabilities = clientCapabilities;
    });
  }

  /**
   * Returns the least urgent level of log messages that a session wants.
   *
   * @param id The session ID.
   * @throws {SessionNotFoundError} If nothing is stored. Always as a rejected
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
    return this.#write(id, () => {
      assertLevel(level);
      return (record) => record.logLevel = level;
    });
  }

  /**
   * Returns the sessions that subscribed to a resource, each once, in no
   * particular order.
   *
   * @param uri The URI of the resource, compared character by character.
   */
  override getSubscriptions(uri: string): Promise<string[]> {
    return Promise.resolve(this.#subscribed.sessionsOf(uri));
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
  override addSubscription(id: string, uri: string): void | Promise<void> {
    return this.#write(id, () => {
      assertUri(uri);
      return () => this.#subscribed.add(id, uri);
    });
  }

  /**
   * Ends a session's subscription to a resource. Does nothing if there is none.
   *
   * @param id The session ID.
   * @param uri The URI of the resource.
   */
  override removeSubscription(id: string, uri: string): void | Promise<void> {
    const record = this.#records.touch(id);
    this.#subscribed.remove(id, uri);
    if (record !== undefined) this.#deleteIfEmpty(id, record);
    return Promise.resolve();
  }

  /**
   * Removes everything that is stored for a session, including its
   * subscriptions. The cost depends on what the session has stored. Does
   * nothing if the ID is unknown.
   *
   * @param id The session ID.
   */
  override delete(id: string): void | Promise<void> {
    this.#records.delete(id);
    this.#subscribed.removeSession(id);
    return Promise.resolve();
  }

  /**
   * Registers a session that this server began, and its principal.
   *
   * `sessions.guard` calls this for every session ID that a transport assigns.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param registration The principal, and the current
   * {@linkcode InMemoryStreamSessionManager.latestEventId}.
   * @returns Whether the session belongs to the principal: false if another one
   * has the ID.
   * @throws {InvalidArgumentError} If the ID is invalid.
   * @throws {SessionLimitError} If `maxSessions` is reached.
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
   * Returns the registration of a session. Does not count as use of it.
   *
   * @param id The session ID.
   */
  registration(id: string): SessionRegistration | undefined {
    return this.#records.get(id)?.registration;
  }

  /**
   * Marks a session as used.
   *
   * @param id The session ID.
   */
  touch(id: string): void {
    this.#records.touch(id);
  }

  /** For how many sessions the metadata expired after `idleTimeoutMs`. */
  get expired(): number {
    return this.#expired;
  }

  /**
   * Removes everything. Later writes are refused with a `ClosedError`. Calling
   * it again changes nothing.
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
   * Changes what is stored for a session.
   *
   * @param id The session ID.
   * @param prepare Validates the new value, and returns a function that stores
   * it.
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

  /** Removes a session without any metadata. */
  #deleteIfEmpty(id: string, record: SessionRecord): void {
    const { clientInfo, clientCapabilities, logLevel, registration } = record;
    const isEmpty = (clientInfo ?? clientCapabilities ?? logLevel ??
      registration) === undefined;
    if (isEmpty && !this.#subscribed.hasSession(id)) this.#records.delete(id);
  }
}

/** Runs a getter; errors become a rejected promise. */
function read<Stored, Value>(
  id: string,
  name: string,
  stored: Stored | undefined,
  restore: (stored: Stored) => Value,
): Promise<Value> {
  return stored === undefined
    ? Promise.reject(new SessionNotFoundError(id, name))
    : Promise.resolve(restore(stored));
}
