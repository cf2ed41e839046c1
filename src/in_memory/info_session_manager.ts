import { describe } from "../describe.ts";
import { ClosedError, InvalidArgumentError } from "../errors.ts";
import { SessionNotFoundError } from "../errors.ts";
import { InfoSessionManager } from "../info_session_manager.ts";
import {
  type ClientCapabilities,
  type ClientInfo,
  LOGGING_LEVELS,
  type LoggingLevel,
} from "../mcp_types.ts";
import { optionGroup, reporter, type ReportingOptions } from "../options.ts";
import { assertSessionId } from "../session_id.ts";
import { serialize } from "./serialize.ts";
import { SubscribedSessions } from "./subscribed_sessions.ts";

/** Options of an {@linkcode InMemoryInfoSessionManager}. */
export interface InMemoryInfoSessionManagerOptions extends ReportingOptions {}

/**
 * A session's metadata. Objects are kept as JSON text: nobody outside can change
 * it, and it is smaller than the object.
 */
interface Metadata {
  clientInfo?: string;
  clientCapabilities?: string;
  logLevel?: LoggingLevel;
}

/**
 * Remembers in this process what each client said of itself.
 *
 * Every getter hands out a copy. A setter that refuses its value answers with a
 * rejected promise and tells `onError`; it never throws in place and never ends
 * as an unhandled rejection, because tmcp's transports do not wait for it.
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
  readonly #metadata: Map<string, Metadata> = new Map();
  readonly #subscribed = new SubscribedSessions();
  readonly #report: (error: Error) => void;
  #closed = false;

  /**
   * Makes a manager without metadata.
   *
   * @param options Where refused writes are reported.
   * @throws {InvalidArgumentError} For an option of the wrong type.
   */
  constructor(options?: InMemoryInfoSessionManagerOptions) {
    super();
    this.#report = reporter(optionGroup("options", options).onError);
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
      this.#metadata.get(id)?.clientInfo,
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
    return this.#write(id, () => ({ clientInfo: serialize("info", info) }));
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
      this.#metadata.get(id)?.clientCapabilities,
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
    return this.#write(id, () => ({
      clientCapabilities: serialize("capabilities", capabilities),
    }));
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
      this.#metadata.get(id)?.logLevel,
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
      if (level !== undefined && !LOGGING_LEVELS.includes(level)) {
        throw new InvalidArgumentError(
          "level",
          `${describe(level)} is no log level. ` +
            `Use one of ${LOGGING_LEVELS.join(", ")}.`,
        );
      }
      return { logLevel: level };
    });
  }

  /**
   * The sessions that subscribed to a resource, each once, in no fixed order.
   *
   * @param uri The resource, compared character by character.
   */
  override getSubscriptions(uri: string): Promise<string[]> {
    return Promise.resolve(this.#subscribed.to(uri));
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
    return this.#change(id, () => {
      if (typeof uri !== "string") {
        throw new InvalidArgumentError(
          "uri",
          `A resource URI has to be a string, not ${describe(uri)}.`,
        );
      }
      this.#subscribed.add(id, uri);
    });
  }

  /**
   * Ends a session's subscription to a resource. An unknown pair changes nothing.
   *
   * @param id The session.
   * @param uri The resource.
   */
  override removeSubscription(id: string, uri: string): void | Promise<void> {
    this.#subscribed.remove(id, uri);
    return Promise.resolve();
  }

  /**
   * Forgets all that is stored of a session, its subscriptions included. It costs
   * what the session owns. An unknown id changes nothing.
   *
   * @param id The session.
   */
  override delete(id: string): void | Promise<void> {
    this.#metadata.delete(id);
    this.#subscribed.removeSession(id);
    return Promise.resolve();
  }

  /**
   * Forgets everything. Later writes are refused with a `ClosedError`. Calling it
   * again changes nothing.
   */
  close(): Promise<void> {
    this.#closed = true;
    this.#metadata.clear();
    this.#subscribed.clear();
    return Promise.resolve();
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Sets fields of a session; one that is `undefined` is removed. */
  #write(
    id: string,
    fields: () => { [Field in keyof Metadata]: Metadata[Field] | undefined },
  ): Promise<void> {
    return this.#change(id, () => {
      const metadata = { ...this.#metadata.get(id), ...fields() };
      for (const field of Object.keys(metadata) as (keyof Metadata)[]) {
        if (metadata[field] === undefined) delete metadata[field];
      }
      if (Object.keys(metadata).length === 0) this.#metadata.delete(id);
      else this.#metadata.set(id, metadata as Metadata);
    });
  }

  /** Runs a change at once and turns what it throws into a quiet rejection. */
  #change(id: string, change: () => void): Promise<void> {
    try {
      assertSessionId(id);
      if (this.#closed) {
        throw new ClosedError(
          "This manager of metadata is closed. Make a new one to store more.",
        );
      }
      change();
      return Promise.resolve();
    } catch (error) {
      this.#report(error as Error);
      const refused = Promise.reject(error);
      // Transports do not wait for setters: without this, a client with a bad
      // session id would end the process.
      refused.catch(() => {});
      return refused;
    }
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
