import { RedisSessions } from "@crossmcp/session-manager/redis";
import { type ClientKind, makeClient } from "../../../redis/support/clients.ts";
import type { MakeSessions } from "../store.ts";

const LIBRARIES: readonly ClientKind[] = [
  "node-redis 6, RESP3",
  "ioredis 6, RESP3",
  "node-redis 6, RESP2",
  "node-redis 5, RESP3",
  "ioredis 6, RESP2",
];

/** Connects a node to one Redis server. */
export const makeRedisSessions: MakeSessions = async (
  [port],
  library,
  options,
) => {
  const kind = LIBRARIES[library % LIBRARIES.length]!;
  const made = makeClient({ port: port! }, kind);
  // It may be down now.
  made.connected.catch(() => {});
  await made.connected;
  return {
    sessions: new RedisSessions(made.client, options),
    disconnect: () => Promise.resolve(made[Symbol.asyncDispose]()),
  };
};
