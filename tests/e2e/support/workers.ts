import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Worker } from "node:worker_threads";
import { createFront } from "../../../examples/workers/front.ts";
import type { Engine } from "./serve.ts";
import { until } from "./until.ts";
import type { Actions } from "./workers_actions.ts";
import { WorkerCalls } from "./workers_calls.ts";
import type { WorkerOptions } from "./workers_thread.ts";

/** As many as the workers of a machine with a few cores. */
const WORKERS = 4;
/** Each loads the whole server, on a machine that may be busy. */
const START_MS = 30_000;

/** One of several workers that share their sessions. */
export interface RunningWorker {
  /** It answers with it in the header `x-worker`. */
  readonly name: string;
  /** Where it is reached without the front. */
  readonly httpUrl: URL;
  /** Has it do something. */
  call<A extends keyof Actions>(
    action: A,
    ...args: Parameters<Actions[A]>
  ): Promise<Awaited<ReturnType<Actions[A]>>>;
  /** Ends it at once, whatever it does. */
  kill(): Promise<void>;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

/** Workers that share their sessions, behind a front that knows of no clients. */
export interface Workers extends AsyncDisposable {
  /** Of the front. */
  readonly httpUrl: URL;
  readonly sseUrl: URL;
  /** Those that are alive. */
  readonly alive: readonly RunningWorker[];
  /** Puts one more behind the front. */
  add(worker: RunningWorker): void;
  close(): Promise<void>;
}

/** Starts workers, and waits until they know of each other. */
export function startWorkers(engine: Engine): Promise<Workers> {
  const group = crypto.randomUUID();
  const start = (_: unknown, index: number) =>
    startWorker({ name: `${index + 1}`, group, engine });
  return startBehindLoadBalancer(Array.from({ length: WORKERS }, start));
}

/** Puts workers behind a front, and waits until they know of each other. */
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
  const front = createFront(() =>
    alive.map(({ httpUrl }) => Number(httpUrl.port))
  );
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  const { port } = front.address() as AddressInfo;
  const close = async () => {
    front.close();
    await Promise.all(alive.map((worker) => worker.kill()));
  };
  try {
    for (const worker of alive) {
      const knowsAll = async () =>
        await worker.call("nodes") === starting.length;
      await until(knowsAll, "the other workers", START_MS);
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
  const worker = new Worker(new URL("./workers_thread.ts", import.meta.url), {
    workerData,
  });
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
