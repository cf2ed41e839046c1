import { RedisSessions } from "@crossmcp/session-manager/redis";
import {
  CLUSTER_CLIENTS,
  type MadeClient,
  type MakeClient,
  SENTINEL_CLIENTS,
} from "../../../redis/support/replicated_clients.ts";
import { within } from "../../../e2e/support/until.ts";
import type { MakeSessions } from "../store.ts";

const CONNECT_TIMEOUT_MS = 5_000;

/** Connects a node through Sentinel. */
export const makeSentinelSessions: MakeSessions = makeWith(
  Object.values(SENTINEL_CLIENTS),
);

/** Connects a node to a Redis Cluster. */
export const makeClusterSessions: MakeSessions = makeWith([
  // The one of node-redis 5 does not find the new primary (redis.md).
  CLUSTER_CLIENTS["node-redis 6"]!,
  CLUSTER_CLIENTS["ioredis 6"]!,
]);

function makeWith(clients: readonly MakeClient[]): MakeSessions {
  return async (ports, library, options) => {
    const make = clients[library % clients.length]!;
    const { client, end } = await connected(() => make(ports));
    return {
      sessions: new RedisSessions(client, options),
      disconnect: async () => void await end(),
    };
  };
}

/** Connects; anew if that takes long (redis.md, "Redis Cluster"). */
async function connected(make: () => MadeClient): Promise<MadeClient> {
  for (;;) {
    const made = make();
    try {
      await within(made.connect(), "a connection", CONNECT_TIMEOUT_MS);
      return made;
    } catch {
      await made.end();
    }
  }
}
