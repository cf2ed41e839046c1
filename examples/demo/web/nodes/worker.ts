/** A node in a worker: `start_worker.ts` starts it. */
import { BroadcastChannelSessions } from "@crossmcp/session-manager/broadcast-channel";
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import type { NodeConfig } from "./node_config.ts";
import { serveNode, StreamEvents } from "./serve_node.ts";
import { READ_AGAIN, sessionOptions } from "./session_options.ts";

const config = workerData as NodeConfig;
const events = new StreamEvents();
const sessions = new BroadcastChannelSessions(
  config.cluster,
  sessionOptions(config, events, (id) => {
    void sessions.notify(READ_AGAIN, { sessions: [id] });
  }),
);
const server = serveNode(sessions, events, config);
await sessions.ready;
parentPort!.once("message", async () => {
  await sessions.close();
  await server.shutdown();
  process.exit(); // of the worker
});
parentPort!.postMessage(server.addr.port);
