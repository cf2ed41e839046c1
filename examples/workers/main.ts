/**
 * An MCP server with several workers, which share their sessions: whichever worker
 * a request reaches, it is answered, and a worker that dies takes no session with
 * it. In a clone of this repository:
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
import { createFront } from "./front.ts";

const WORKERS = Number(process.env.WORKERS ?? 4);
/** How long to wait before a dead worker is replaced, in milliseconds. */
const REPLACE_AFTER_MS = 1_000;

const workers = new Set<Worker>();
/** Where those listen that are ready. */
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
    // What `start` fails with was printed, and this worker has exited as well.
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
  const closed = once(front, "close"); // when all have got what was on its way
  front.close();
  const ended = [...workers].map((worker) => once(worker, "exit"));
  for (const worker of workers) worker.postMessage("stop");
  await Promise.all([...ended, closed]);
  process.exit();
}

await Promise.all(Array.from({ length: WORKERS }, start));
const front = createFront(() => [...ports.values()]);
front.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  const { port } = front.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}/mcp`);
});
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
