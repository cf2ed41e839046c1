import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createLoadBalancer } from "../../../examples/workers/load_balancer.ts";
import type { Engine } from "./serve.ts";
import { startThread } from "../../support/bundle.ts";
import { until } from "./until.ts";
import type { Actions } from "./workers_actions.ts";
import { WorkerCalls } from "./workers_calls.ts";
import type { WorkerOptions } from "./workers_thread.ts";

/** Number of workers, as on a machine with a few cores. */
const WORKER_COUNT = 4;
/**
 * Startup timeout. Each worker loads the whole server, possibly on a busy
 * machine.
 */
const START_TIMEOUT_MS = 30_000;

/** One of several workers that share their sessions. */
export interface RunningWorker {
  /** The value of the `x-worker` header in its responses. */
  readonly name: string;
  /** Its URL, bypassing the load balancer. */
  readonly httpUrl: URL;
  /** Runs an action in the worker. */
  call<A extends keyof Actions>(
    action: A,
    ...args: Parameters<Actions[A]>
  ): Promise<Awaited<ReturnType<Actions[A]>>>;
  /** Kills the worker immediately. */
  kill(): Promise<void>;
  /** Resolves when the worker has exited. */
  readonly ended: Promise<void>;
}

/**
 * Workers that share their sessions, behind a load balancer without sticky
 * sessions.
 */
export interface Workers extends AsyncDisposable {
  /** URL of the load balancer. */
  readonly httpUrl: URL;
  readonly sseUrl: URL;
  /** The workers that are running. */
  readonly alive: readonly RunningWorker[];
  /** Adds a worker to the load balancer. */
  add(worker: RunningWorker): void;
  close(): Promise<void>;
}

/** Starts workers. Resolves when they know each other. */
export function startWorkers(engine: Engine): Promise<Workers> {
  const group = crypto.randomUUID();
  const start = (_: unknown, index: number) =>
    startWorker({ name: `${index + 1}`, group, engine });
  return startBehindLoadBalancer(Array.from({ length: WORKER_COUNT }, start));
}

/** Puts workers behind a load balancer. Resolves when they know each other. */
export async function startBehindLoadBalancer(
  starting: readonly Promise<RunningWorker>[],
): Promise<Workers> {
  let alive: readonly RunningWorker[] = [];
  const add = (worker: RunningWorker) => {
    alive = [...alive, worker];
    void worker.ended.then(() =>
      alive = alive.filter((other) => other !== worker)
    );
  };
  for (const worker of await Promise.all(starting)) add(worker);
  const loadBalancer = createLoadBalancer(() =>
    alive.map(({ httpUrl }) => Number(httpUrl.port))
  );
  await new Promise<void>((resolve) =>
    loadBalancer.listen(0, "127.0.0.1", resolve)
  );
  const { port } = loadBalancer.address() as AddressInfo;
  const close = async () => {
    loadBalancer.close();
    await Promise.all(alive.map((worker) => worker.kill()));
  };
  try {
    for (const worker of alive) {
      const knowsOthers = async () =>
        await worker.call("nodes") === starting.length;
      await until(
        knowsOthers,
        "the workers to know each other",
        START_TIMEOUT_MS,
      );
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    httpUrl: new URL(`http://127.0.0.1:${port}/mcp`),
    sseUrl: new URL(`http://127.0.0.1:${port}/sse`),
    get alive() {
      return alive;
    },
    add,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function startWorker(workerData: WorkerOptions): Promise<RunningWorker> {
  const script = new URL("./workers_thread.ts", import.meta.url);
  const worker = startThread(script, workerData);
  const [port] = await once(worker, "message");
  const calls = new WorkerCalls((call) => worker.postMessage(call));
  worker.on("message", (result) => calls.settle(result));
  const ended = once(worker, "exit").then(() => calls.end());
  return {
    name: workerData.name,
    httpUrl: new URL(`http://127.0.0.1:${port}/mcp`),
    call: (action, ...args) => calls.call(action, ...args),
    kill: async () => {
      await worker.terminate();
      await ended;
    },
    ended,
  };
}
