import { RedisSessions } from "@crossmcp/session-manager/redis";
import {
  CLUSTER_CLIENTS,
  type MakeClient,
  patientNodeRedisCluster,
  SENTINEL_CLIENTS,
} from "../../../redis/support/replicated_clients.ts";
import type { MakeSessions } from "../store.ts";

/** Connects a node through Sentinel. */
export const makeSentinelSessions: MakeSessions = makeWith(
  Object.values(SENTINEL_CLIENTS),
);

/** Connects a node to a Redis Cluster. */
export const makeClusterSessions: MakeSessions = makeWith([
  // The one of node-redis 5 does not find the new primary (redis.md).
  patientNodeRedisCluster,
  CLUSTER_CLIENTS["ioredis 6"]!,
]);

function makeWith(clients: readonly MakeClient[]): MakeSessions {
  return async (ports, library, options) => {
    const make = clients[library % clients.length]!;
    const { client, connect, end } = make(ports);
    await connect();
    return {
      sessions: new RedisSessions(client, options),
      disconnect: async () => void await end(),
    };
  };
}
