/**
 * Serves `notes_server.ts` in one process: `deno run -A server.ts`, or on Node
 * and Bun, and in a clone `npx -y deno@2 run -A examples/sdk/server.ts`. With
 * `REDIS_URL`, several processes act as one: start some, each with its own
 * `PORT`, behind a load balancer of any kind.
 */
import { InMemorySessions, type Sessions } from "@crossmcp/session-manager";
import { toNodeHandler } from "@crossmcp/session-manager/node";
import { RedisSessions } from "@crossmcp/session-manager/redis";
import { createServer } from "node:http";
import process from "node:process";
import { createClient } from "redis";
import { createHandler } from "./notes_server.ts";

async function createSessions(url: string | undefined): Promise<Sessions> {
  const options = { streams: { replay: {} }, onError: console.error };
  if (url === undefined) return new InMemorySessions(options);
  const publisher = createClient({ url });
  const subscriber = publisher.duplicate();
  for (const client of [publisher, subscriber]) {
    client.on("error", () => {}); // onError reports outages, once each
    await client.connect();
  }
  return new RedisSessions({ publisher, subscriber }, options);
}

const sessions = await createSessions(process.env.REDIS_URL);
const handler = createHandler(sessions);
const server = createServer(toNodeHandler(handler));
const port = Number(process.env.PORT ?? 8000);
server.listen(port, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${port}/mcp`);
});

async function stop(): Promise<void> {
  await handler.close({ drainMs: 10_000 }); // lets running calls finish
  await sessions.close();
  process.exit();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
