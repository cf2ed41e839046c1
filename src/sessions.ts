import type { InfoSessionManager } from "./info_session_manager.ts";
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
   * Ends every stream and subscription and forgets all metadata; what would
   * create something afterwards is refused with a `ClosedError`. Calling it again
   * changes nothing.
   */
  close(): Promise<void>;
}
