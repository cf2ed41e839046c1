// One of several workers that share their sessions: workers.ts starts it.
import { BroadcastChannelSessions } from "@crossmcp/session-manager/broadcast-channel";
import { parentPort, workerData } from "node:worker_threads";
import type { Engine } from "./serve.ts";
import { type Call, serveWorker } from "./workers_actions.ts";

/** What a worker has to know. */
export interface WorkerOptions {
  readonly name: string;
  /** The workers that share their sessions have it in common. */
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
