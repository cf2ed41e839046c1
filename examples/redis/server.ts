/**
 * An MCP server that runs any number of times, on any number of machines: the
 * servers share their sessions through Redis. Any of them can answer any
 * request, and no session or notification is lost with one that dies. The same
 * file runs on Deno, Node and Bun. In a clone of this repository, with a
 * running `redis-server`:
 *
 * ```sh
 * export REDIS_URL=redis://127.0.0.1:6379
 *
 * # Start each server in its own terminal, on the runtime that you like.
 * PORT=8001 NAME=a deno run -A --unstable-no-legacy-abort examples/redis/server.ts
 * PORT=8002 NAME=b node --import ./tests/node_loader.mjs examples/redis/server.ts
 * PORT=8003 NAME=c bun --tsconfig-override=tests/tsconfig.json examples/redis/server.ts
 *
 * # A simple load balancer: clients connect to http://127.0.0.1:8000/mcp.
 * PORT=8000 deno run -A examples/redis/load_balancer.ts 8001 8002 8003
 * ```
 *
 * Kill one with SIGKILL: its clients reconnect to the others and miss nothing.
 * With SIGTERM, it accepts no more connections, sends its clients to the others
 * one by one within two seconds, and ends. `deno task demo redis` kills servers
 * of some hundred clients, and counts.
 */
import { RedisSessions } from "@crossmcp/session-manager/redis";
import { HttpTransport } from "@tmcp/transport-http";
import process from "node:process";
import { createClient } from "redis";
import { createNews, LOOK_AGAIN } from "../workers/news.ts";
import { serve } from "../workers/serve.ts";

const { REDIS_URL = "redis://127.0.0.1:6379", PORT = "0" } = process.env;
const NAME = process.env.NAME ?? `process ${process.pid}`;
/** How long a server that stops takes to end its streams, in milliseconds. */
const DRAIN_MS = 2_000;

const client = createClient({ url: REDIS_URL });
const tell = ({ message }: Error) => console.error(`Redis: ${message}`);
client.once("error", tell);
client.on("error", () => {}); // it reconnects by itself
await client.connect();
client.off("error", tell); // from now on `onError` reports outages

// All servers with the same prefix have the same sessions.
const sessions = new RedisSessions(client, {
  prefix: "news",
  streams: { replay: {} }, // clients that reconnect get what they missed
  onError: ({ message }) => console.error(`server ${NAME}: ${message}`),
  // The missed events were lost with Redis, or are too old: the client must
  // read again.
  onReset: (id) => sessions.streams.send([id], LOOK_AGAIN),
});
await sessions.ready; // rejects if something is wrong with Redis

const transport = new HttpTransport(createNews(`server ${NAME}`), {
  path: "/mcp",
  allowedOrigins: [], // refuse web pages of other origins
  sessionManager: sessions,
  subscriptionManager: sessions.subscriptions,
});

async function respond(request: Request): Promise<Response> {
  const response = await sessions.guard(
    request,
    (request) => transport.respond(request),
  );
  response.headers.set("x-worker", NAME); // shows who answered
  return response;
}

const served = await serve(respond, Number(PORT));
console.log(`http://127.0.0.1:${served.port}/mcp`);

async function stop(): Promise<void> {
  const stopped = served.stop(); // new connections reach another server
  await sessions.close({ drainMs: DRAIN_MS });
  await stopped;
  client.destroy(); // it belongs to you: `close` does not close it
  process.exit();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
