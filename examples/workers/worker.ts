/**
 * One worker: an MCP server that shares its sessions with the other workers.
 * `main.ts` starts several.
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
  { name: "crash", description: "Kills the worker that receives the call" },
  () => {
    parentPort!.postMessage("kill");
    return tool.text(`${name} was told to crash`);
  },
);

// All workers of this process that use the same name have the same sessions.
const sessions = new BroadcastChannelSessions("news", {
  streams: { replay: {} }, // clients that reconnect get what they missed
  onError: (error) => console.error(`worker ${name}:`, error),
  // The missed events were lost with a worker, or are too old: the client must
  // read again.
  onReset: (id) => sessions.streams.send([id], LOOK_AGAIN),
});

const transport = new HttpTransport(server, {
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
  response.headers.set("x-worker", name); // shows who answered
  return response;
}

const served = await serve(respond);
await sessions.ready; // the sessions of the other workers are known here
parentPort!.once("message", async () => {
  await sessions.close(); // ends the streams, which `stop` would wait for
  await served.stop();
  process.exit(); // of the worker
});
parentPort!.postMessage(served.port);
