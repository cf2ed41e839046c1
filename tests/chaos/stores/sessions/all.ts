import type { MakeSessions, StoreName } from "../store.ts";

/** How nodes connect to each store. A process loads only what it needs. */
export const MAKE_SESSIONS: Readonly<
  Record<StoreName, () => Promise<MakeSessions>>
> = {
  redis: async () => (await import("./redis.ts")).makeRedisSessions,
  sentinel: async () => (await import("./replicated.ts")).makeSentinelSessions,
  cluster: async () => (await import("./replicated.ts")).makeClusterSessions,
  nats: async () => (await import("./nats.ts")).makeNatsSessions,
  postgres: async () => (await import("./postgres.ts")).makePostgresSessions,
};
