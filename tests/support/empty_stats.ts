import type { SessionsStats } from "@crossmcp/session-manager";

/** The result of `stats()` before anything has happened. */
export const EMPTY_STATS: SessionsStats = {
  attached: 0,
  delivered: 0,
  queuedBytes: 0,
  evicted: { bytes: 0, age: 0 },
  replayed: 0,
  resets: { unknown: 0, purged: 0, future: 0 },
  sessions: 0,
  begun: 0,
  ended: { deleted: 0, ended: 0, expired: 0 },
  subscriptions: { resources: 0, listen: 0, notified: 0 },
  expired: 0,
  openRequests: 0,
};

/** The counts of resets that stats have if there were only these. */
export function resetCounts(
  some: Partial<SessionsStats["resets"]> = {},
): SessionsStats["resets"] {
  return { ...EMPTY_STATS.resets, ...some };
}
