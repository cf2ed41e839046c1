import {
  optionGroup,
  resolveStreamOptions,
  resolveSubscriptionOptions,
  type SessionsOptions,
} from "../options.ts";
import type { Sessions } from "../sessions.ts";
import { InMemoryInfoSessionManager } from "./info_session_manager.ts";
import { InMemoryStreamSessionManager } from "./stream_session_manager.ts";
import { InMemorySubscriptionManager } from "./subscription_manager.ts";

/** Options of {@linkcode InMemorySessions}. */
export interface InMemorySessionsOptions extends SessionsOptions {}

/**
 * Sessions of one process: its streams, metadata and subscriptions.
 *
 * @example Hand it to a transport
 * ```ts
 * import { InMemorySessions } from "@crossmcp/session-manager";
 *
 * await using sessions = new InMemorySessions({
 *   streams: { maxSessions: 10_000 },
 *   onError: (error) => console.error(error),
 * });
 * // new HttpTransport(server, {
 * //   sessionManager: sessions,
 * //   subscriptionManager: sessions.subscriptions,
 * // });
 * ```
 */
export class InMemorySessions implements Sessions {
  /** The long-lived streams of the session era (2025-11-25 and before). */
  readonly streams: InMemoryStreamSessionManager;
  /** What each client of the session era said of itself. */
  readonly info: InMemoryInfoSessionManager;
  /** The `subscriptions/listen` streams of the per-request era (2026-07-28). */
  readonly subscriptions: InMemorySubscriptionManager;

  /**
   * Makes three managers that share their options.
   *
   * @param options Limits, and where failures are reported.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(options?: InMemorySessionsOptions) {
    const { streams, subscriptions, onError } = optionGroup("options", options);
    this.streams = new InMemoryStreamSessionManager({
      ...resolveStreamOptions(streams, "streams"),
      onError,
    });
    this.info = new InMemoryInfoSessionManager({ onError });
    this.subscriptions = new InMemorySubscriptionManager({
      ...resolveSubscriptionOptions(subscriptions, "subscriptions"),
      onError,
    });
  }

  /**
   * Ends every stream and subscription and forgets all metadata. Subscriptions
   * get what was sent to them before, at the latest after
   * `subscriptions.deadlineMs`. Calling it again changes nothing.
   */
  async close(): Promise<void> {
    await Promise.all([
      this.streams.close(),
      this.subscriptions[Symbol.asyncDispose](),
      this.info.close(),
    ]);
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
