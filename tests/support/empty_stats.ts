import type { SessionsStats } from "@crossmcp/session-manager";

/** The result of `stats()` before anything has happened. */
export const EMPTY_STATS: SessionsStats = {
  attached: 0,
  delivered: 0,
  queuedBytes: 0,
  evicted: { bytes: 0, age: 0 },
  replayed: 0,
  resets: 0,
  expired: 0,
  openRequests: 0,
};
