import type { SessionsStats, StreamStats } from "../contracts/stats.ts";
import {
  sessionRegistryOf,
  type StoredInfoSessionManager,
} from "../metadata/stored_info_session_manager.ts";

/** Where the counters of sessions come from. */
export interface CountedParts {
  readonly streams: { stats(): StreamStats };
  readonly info: StoredInfoSessionManager;
  readonly subscriptions: { readonly size: number; readonly notified: number };
  readonly openRequests: number;
}

/** Returns the counters of sessions. Visits every stream. */
export function sessionStats(
  { streams, info, subscriptions, openRequests }: CountedParts,
): SessionsStats {
  const { known, events } = sessionRegistryOf(info);
  return {
    ...streams.stats(),
    ...events.counts,
    sessions: known.sessions,
    subscriptions: {
      resources: known.subscriptions,
      listen: subscriptions.size,
      notified: subscriptions.notified,
    },
    expired: info.expired,
    openRequests,
  };
}
