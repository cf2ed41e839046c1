import type { SessionsStats } from "@crossmcp/session-manager";

/** What `stats()` says while nothing has happened. */
export const NOTHING_COUNTED: SessionsStats = {
  attached: 0,
  delivered: 0,
  queuedBytes: 0,
  evicted: { bytes: 0, age: 0 },
  replayed: 0,
  resets: 0,
  expired: 0,
};
