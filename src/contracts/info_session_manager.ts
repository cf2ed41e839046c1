import type {
  ClientCapabilities,
  ClientInfo,
  LoggingLevel,
} from "../protocol/mcp_types.ts";

/**
 * Remembers what each client said of itself: who it is, what it can do, the log
 * level it wants and the resources it subscribed to.
 *
 * This is the contract; a backend extends it. Its signatures are those of
 * `@tmcp/session-manager` 0.3.0, so an instance fits wherever tmcp's transports
 * expect theirs, and the other way round. Setters may answer with a promise;
 * await it to know that the value is stored, or why it was refused.
 *
 * @example Remember a client and its subscription
 * ```ts
 * import { InMemoryInfoSessionManager } from "@crossmcp/session-manager";
 *
 * const info = new InMemoryInfoSessionManager();
 * await info.setClientInfo("session-1", { name: "inspector", version: "1.0.0" });
 * await info.addSubscription("session-1", "file:///notes.md");
 * const { name } = (await info.getClientInfo("session-1"))!;
 * const sessions = await info.getSubscriptions("file:///notes.md");
 * console.log(name, sessions); // inspector [ "session-1" ]
 * ```
 */
export abstract class InfoSessionManager {
  /**
   * What the client of a session says it is.
   *
   * @param id The session.
   * @throws {SessionNotFoundError} When nothing is stored. Always as a rejected
   * promise, never thrown in place.
   */
  abstract getClientInfo(id: string): Promise<ClientInfo | undefined>;

  /**
   * Stores what the client of a session says it is.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param info A JSON object; `undefined` removes what is stored.
   * @throws {InvalidArgumentError} For an id or a value that is none; what was
   * stored stays.
   */
  abstract setClientInfo(
    id: string,
    info: ClientInfo | undefined,
  ): void | Promise<void>;

  /**
   * What the client of a session can do.
   *
   * @param id The session.
   * @throws {SessionNotFoundError} When nothing is stored. Always as a rejected
   * promise, never thrown in place.
   */
  abstract getClientCapabilities(
    id: string,
  ): Promise<ClientCapabilities | undefined>;

  /**
   * Stores what the client of a session can do.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param capabilities A JSON object; `undefined` removes what is stored.
   * @throws {InvalidArgumentError} For an id or a value that is none; what was
   * stored stays.
   */
  abstract setClientCapabilities(
    id: string,
    capabilities: ClientCapabilities | undefined,
  ): void | Promise<void>;

  /**
   * The least urgent level of log messages that a session wants.
   *
   * @param id The session.
   * @throws {SessionNotFoundError} When nothing is stored. Always as a rejected
   * promise, never thrown in place.
   */
  abstract getLogLevel(id: string): Promise<LoggingLevel | undefined>;

  /**
   * Stores the least urgent level of log messages that a session wants.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param level One of the eight levels; `undefined` removes what is stored.
   * @throws {InvalidArgumentError} For an id or a level that is none; what was
   * stored stays.
   */
  abstract setLogLevel(
    id: string,
    level: LoggingLevel | undefined,
  ): void | Promise<void>;

  /**
   * The sessions that subscribed to a resource, each once, in no fixed order.
   *
   * @param uri The resource, compared character by character.
   */
  abstract getSubscriptions(uri: string): Promise<string[]>;

  /**
   * Subscribes a session to a resource. Doing it twice changes nothing.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param uri The resource, any string.
   * @throws {InvalidArgumentError} For an id or a URI that is none.
   */
  abstract addSubscription(id: string, uri: string): void | Promise<void>;

  /**
   * Ends a session's subscription to a resource. An unknown pair changes nothing.
   *
   * @param id The session.
   * @param uri The resource.
   */
  abstract removeSubscription(id: string, uri: string): void | Promise<void>;

  /**
   * Forgets all that is stored of a session, its subscriptions included. An
   * unknown id changes nothing.
   *
   * @param id The session.
   */
  abstract delete(id: string): void | Promise<void>;
}
