import { InMemorySessions, type Sessions } from "@crossmcp/session-manager";
import { RedisSessions } from "@crossmcp/session-manager/redis";
import process from "node:process";
import { createClient } from "redis";

/**
 * Creates the sessions of one process; with `REDIS_URL`, those of several that
 * act as one.
 */
export async function createSessions(): Promise<Sessions> {
  const options = { streams: { replay: {} }, onError: console.error };
  const url = process.env.REDIS_URL;
  if (url === undefined) return new InMemorySessions(options);
  const client = createClient({ url });
  client.on("error", () => {}); // onError reports outages, once each
  await client.connect();
  return new RedisSessions(client, options);
}
