import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { NodeConfig } from "./node_config.ts";
import type { RunningNode } from "./running_node.ts";

/** Starts a node in a worker of this process. */
export async function startWorker(config: NodeConfig): Promise<RunningNode> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    workerData: config,
  });
  worker.on("error", (error) => console.error(`node ${config.name}:`, error));
  const ended = once(worker, "exit");
  const port = await Promise.race([
    once(worker, "message").then(([port]) => port as number),
    ended.then(() => undefined),
  ]);
  if (port === undefined) throw new Error(`Node ${config.name} did not start.`);
  return {
    port,
    pid: undefined,
    ended,
    kill: () => void worker.terminate(),
    stop: () => worker.postMessage("stop"),
  };
}
