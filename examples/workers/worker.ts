/**
 * One worker: an MCP server of its own, which shares its sessions with those of the
 * other workers. `main.ts` starts several.
 */
import { BroadcastChannelSessions } from "@crossmcp/session-manager/broadcast-channel";
import { HttpTransport } from "@tmcp/transport-http";
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { tool } from "tmcp/utils";
import { createNews, LOOK_AGAIN } from "./news.ts";
import { serve } from "./serve.ts";

const name = String(workerData);
const server = createNews(`worker ${name}`);
server.tool(
  { name: "crash", description: "Kills the worker it is for" },
  () => {
    parentPort!.postMessage("kill");
    return tool.text(`The end of worker ${name}`);
  },
);

// All workers of this process that give the same name have the same sessions.
const sessions = new BroadcastChannelSessions("news", {
  streams: { replay: {} }, // clients that were away get what they missed
  onError: (error) => console.error(`worker ${name}:`, error),
  // What it missed died with a worker, or was long ago: it is to look again.
  onReset: (id) => sessions.streams.send([id], LOOK_AGAIN),
});

const transport = new HttpTransport(server, {
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
  response.headers.set("x-worker", name); // to see who answered
  return response;
}

const served = await serve(respond);
await sessions.ready; // what the other workers have is known here
parentPort!.once("message", async () => {
  await sessions.close(); // ends the streams, or `stop` would wait for them
  await served.stop();
  process.exit(); // of the worker
});
parentPort!.postMessage(served.port);
