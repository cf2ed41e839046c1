/**
 * An MCP server of which any number may run, on any machines: they share their
 * sessions through Redis. Whichever of them a request reaches, it is answered, and
 * one that dies takes no session and no notification with it. It runs as it is on
 * Deno, Node and Bun. In a clone of this repository, with a `redis-server` that
 * listens:
 *
 * ```sh
 * export REDIS_URL=redis://127.0.0.1:6379
 *
 * # Two servers, each in a terminal of its own; one line for each runtime.
 * PORT=8001 NAME=a deno run -A --unstable-no-legacy-abort examples/redis/server.ts
 * PORT=8002 NAME=b node --import ./tests/node_loader.mjs examples/redis/server.ts
 * PORT=8003 NAME=c bun --tsconfig-override=tests/tsconfig.json examples/redis/server.ts
 *
 * # What stands for the load balancer: clients connect to http://127.0.0.1:8000/mcp.
 * PORT=8000 deno run -A examples/redis/front.ts 8001 8002 8003
 * ```
 *
 * Kill one with SIGKILL, and its clients go on elsewhere: they miss nothing. With
 * SIGTERM it takes no more requests, sends its clients to the others within two
 * seconds, one after the other, and ends. `deno task demo redis` does the former to
 * some hundred clients, and counts.
 */
import { RedisSessions } from "@crossmcp/session-manager/redis";
import { HttpTransport } from "@tmcp/transport-http";
import process from "node:process";
import { createClient } from "redis";
import { createNews, LOOK_AGAIN } from "../workers/news.ts";
import { serve } from "../workers/serve.ts";

const { REDIS_URL = "redis://127.0.0.1:6379", PORT = "0" } = process.env;
const NAME = process.env.NAME ?? `process ${process.pid}`;
/** Over how long the clients of a server that stops are sent away. */
const DRAIN_MS = 2_000;

const publisher = createClient({ url: REDIS_URL });
const subscriber = publisher.duplicate();
const tell = ({ message }: Error) => console.error(`Redis: ${message}`);
publisher.once("error", tell);
// Both connect again by themselves.
for (const client of [publisher, subscriber]) client.on("error", () => {});
await Promise.all([publisher.connect(), subscriber.connect()]);
publisher.off("error", tell); // from now on `onError` tells of outages

// All servers that give the same prefix have the same sessions.
const sessions = new RedisSessions({ publisher, subscriber }, {
  prefix: "news",
  streams: { replay: {} }, // clients that were away get what they missed
  onError: ({ message }) => console.error(`server ${NAME}: ${message}`),
  // What it missed went with Redis, or was long ago: it is to look again.
  onReset: (id) => sessions.streams.send([id], LOOK_AGAIN),
});
await sessions.ready; // or it says what is wrong with Redis

const transport = new HttpTransport(createNews(`server ${NAME}`), {
  path: "/mcp",
  allowedOrigins: [], // no web pages from elsewhere
  sessionManager: sessions,
  subscriptionManager: sessions.subscriptions,
});

async function respond(request: Request): Promise<Response> {
  const response = await sessions.guard(
    request,
    (request) => transport.respond(request),
  );
  response.headers.set("x-worker", NAME); // to see who answered
  return response;
}

const served = await serve(respond, Number(PORT));
console.log(`http://127.0.0.1:${served.port}/mcp`);

async function stop(): Promise<void> {
  const stopped = served.stop(); // who connects from now on reaches another one
  await sessions.close({ drainMs: DRAIN_MS });
  await stopped;
  // The sessions use the clients, and leave it to you to close them.
  for (const client of [publisher, subscriber]) client.destroy();
  process.exit();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
