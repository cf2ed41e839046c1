// One of several worker threads that share their sessions. Started by
// workers.ts.
import { BroadcastChannelSessions } from "@crossmcp/session-manager/broadcast-channel";
import { parentPort, workerData } from "node:worker_threads";
import type { Engine } from "./serve.ts";
import { type Call, serveWorker } from "./workers_actions.ts";

/** Options of a worker. */
export interface WorkerOptions {
  readonly name: string;
  /** Name of the group whose workers share their sessions. */
  readonly group: string;
  readonly engine: Engine;
}

const { name, group, engine } = workerData as WorkerOptions;
const reported: string[] = [];
const resets: string[] = [];
const onError = (error: Error) => void reported.push(String(error));
const { port, run } = await serveWorker(name, engine, {
  http: new BroadcastChannelSessions(`${group} http`, {
    streams: { replay: {} },
    onReset: (id) => resets.push(id),
    onError,
  }),
  sse: new BroadcastChannelSessions(`${group} sse`, { onError }),
  resets,
  reported,
});
parentPort!.on("message", async (call: Call) => {
  parentPort!.postMessage(await run(call));
});
parentPort!.postMessage(port);
