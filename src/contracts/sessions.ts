import type { GuardOptions, Respond } from "../contracts/guarding.ts";
import type { InfoSessionManager } from "./info_session_manager.ts";
import type { CloseOptions } from "./options.ts";
import type { SessionsStats } from "./stats.ts";
import type { StreamSessionManager } from "./stream_session_manager.ts";
import type { SubscriptionManager } from "./subscription_manager.ts";

/**
 * The three managers that belong together. Hand it to a transport as it is.
 *
 * Every backend has one: `InMemorySessions` keeps everything in this process.
 */
export interface Sessions extends AsyncDisposable {
  /** The long-lived streams of the session era (2025-11-25 and before). */
  readonly streams: StreamSessionManager;
  /** What each client of the session era said of itself. */
  readonly info: InfoSessionManager;
  /** The `subscriptions/listen` streams of the per-request era (2026-07-28). */
  readonly subscriptions: SubscriptionManager;
  /**
   * Answers a request with a transport, and holds it to the rules for sessions of
   * MCP 2025-11-25 (Transports, "Session Management"), which tmcp's transports
   * leave to others:
   *
   * - A session id that is none: 400, with a JSON-RPC error.
   * - A session that is unknown, expired, deleted or another principal's: 404, with
   *   a JSON-RPC error, on GET, POST and DELETE. An id that a client made up is
   *   never adopted.
   * - A GET replaces the stream that is attached, in the place of a 409. With
   *   `replay` it continues after the client's `Last-Event-ID`.
   * - No place for another session or stream: 503 with `Retry-After`.
   *
   * Requests without a session id and those of the per-request era pass as they
   * are, and no body is read. A refusal carries the CORS headers that the transport
   * gives to an `OPTIONS` request.
   *
   * @param request The request.
   * @param respond The transport. `null` for a request that is not its own becomes
   * an empty 404.
   * @param options Who sends the request.
   * @throws {InvalidArgumentError} For a principal that is no string; as a rejected
   * promise.
   */
  guard(
    request: Request,
    respond: Respond,
    options?: GuardOptions,
  ): Promise<Response>;
  /** What was counted so far: cheap enough to ask every second. */
  stats(): SessionsStats;
  /**
   * Ends every stream and subscription and forgets all metadata; what would
   * create something afterwards is refused with a `ClosedError`. Calling it again
   * changes nothing.
   *
   * @param options Whether to take time for it.
   */
  close(options?: CloseOptions): Promise<void>;
}
