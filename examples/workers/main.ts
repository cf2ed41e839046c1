/**
 * An MCP server with several workers that share their sessions: any of them can
 * answer any request, and no session is lost with a worker that dies. In a
 * clone of this repository:
 *
 * ```sh
 * deno run -A --unstable-no-legacy-abort examples/workers/main.ts
 * node --import ./tests/node_loader.mjs examples/workers/main.ts
 * bun --tsconfig-override=tests/tsconfig.json examples/workers/main.ts
 * ```
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { Worker } from "node:worker_threads";
import { createLoadBalancer } from "./load_balancer.ts";

const WORKERS = Number(process.env.WORKERS ?? 4);
/** How long to wait before a dead worker is replaced, in milliseconds. */
const REPLACE_AFTER_MS = 1_000;

const workers = new Set<Worker>();
/** The ports of the workers that are ready. */
const ports = new Map<Worker, number>();
let started = 0;
let isStopping = false;

/** Starts a worker and waits until it listens. */
async function start(): Promise<void> {
  const name = ++started;
  const worker = new Worker(new URL("./worker.ts", import.meta.url), {
    workerData: name,
  });
  workers.add(worker);
  worker.on("error", (error) => console.error(`worker ${name}:`, error));
  worker.on("exit", () => {
    workers.delete(worker);
    ports.delete(worker);
    // The error was printed, and the worker has exited as well.
    if (!isStopping) {
      setTimeout(() => start().catch(() => {}), REPLACE_AFTER_MS);
    }
  });
  const [port] = await once(worker, "message");
  ports.set(worker, port);
  worker.on("message", () => worker.terminate()); // the tool "crash"
}

async function stop(): Promise<void> {
  isStopping = true;
  const closed = once(loadBalancer, "close"); // once all pending responses are sent
  loadBalancer.close();
  const ended = [...workers].map((worker) => once(worker, "exit"));
  for (const worker of workers) worker.postMessage("stop");
  await Promise.all([...ended, closed]);
  process.exit();
}

await Promise.all(Array.from({ length: WORKERS }, start));
const loadBalancer = createLoadBalancer(() => [...ports.values()]);
loadBalancer.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  const { port } = loadBalancer.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}/mcp`);
});
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
