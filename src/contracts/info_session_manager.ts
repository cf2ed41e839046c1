import type {
  ClientCapabilities,
  ClientInfo,
  LoggingLevel,
} from "../protocol/mcp_types.ts";

/**
 * Remembers what each client said about itself: its name, its capabilities, the
 * log level it wants, and the resources it subscribed to.
 *
 * This is the contract; each backend extends it. Its signatures are those of
 * `@tmcp/session-manager` 0.3.0, so the classes are interchangeable. Setters
 * may return a promise: await it to know that the value was stored, or why it
 * was refused.
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
   * Returns the name and version of a session's client.
   *
   * @param id The session ID.
   * @throws {SessionNotFoundError} If nothing is stored. Always as a rejected
   * promise, never synchronously.
   */
  abstract getClientInfo(id: string): Promise<ClientInfo | undefined>;

  /**
   * Stores the name and version of a session's client.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param info A JSON object; `undefined` removes the stored one.
   * @throws {InvalidArgumentError} If the ID or the value is invalid. The
   * stored value is kept.
   */
  abstract setClientInfo(
    id: string,
    info: ClientInfo | undefined,
  ): void | Promise<void>;

  /**
   * Returns the capabilities of a session's client.
   *
   * @param id The session ID.
   * @throws {SessionNotFoundError} If nothing is stored. Always as a rejected
   * promise, never synchronously.
   */
  abstract getClientCapabilities(
    id: string,
  ): Promise<ClientCapabilities | undefined>;

  /**
   * Stores the capabilities of a session's client.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param capabilities A JSON object; `undefined` removes the stored one.
   * @throws {InvalidArgumentError} If the ID or the value is invalid. The
   * stored value is kept.
   */
  abstract setClientCapabilities(
    id: string,
    capabilities: ClientCapabilities | undefined,
  ): void | Promise<void>;

  /**
   * Returns the least urgent level of log messages that a session wants.
   *
   * @param id The session ID.
   * @throws {SessionNotFoundError} If nothing is stored. Always as a rejected
   * promise, never synchronously.
   */
  abstract getLogLevel(id: string): Promise<LoggingLevel | undefined>;

  /**
   * Stores the least urgent level of log messages that a session wants.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param level One of the eight levels; `undefined` removes the stored one.
   * @throws {InvalidArgumentError} If the ID or the level is invalid. The
   * stored value is kept.
   */
  abstract setLogLevel(
    id: string,
    level: LoggingLevel | undefined,
  ): void | Promise<void>;

  /**
   * Returns the sessions that subscribed to a resource, each once, in no
   * particular order.
   *
   * @param uri The URI of the resource, compared character by character.
   */
  abstract getSubscriptions(uri: string): Promise<string[]>;

  /**
   * Subscribes a session to a resource. Subscribing twice changes nothing.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param uri The URI of the resource, any string.
   * @throws {InvalidArgumentError} If the ID or the URI is invalid.
   */
  abstract addSubscription(id: string, uri: string): void | Promise<void>;

  /**
   * Ends a session's subscription to a resource. Does nothing if there is none.
   *
   * @param id The session ID.
   * @param uri The URI of the resource.
   */
  abstract removeSubscription(id: string, uri: string): void | Promise<void>;

  /**
   * Removes everything that is stored for a session, including its
   * subscriptions. Does nothing if the ID is unknown.
   *
   * @param id The session ID.
   */
  abstract delete(id: string): void | Promise<void>;
}
