import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Worker } from "node:worker_threads";
import { createFront } from "../../examples/workers/front.ts";
import type { Engine } from "./serve.ts";
import { until } from "./until.ts";
import type {
  Actions,
  Order,
  Outcome,
  WorkerOptions,
} from "./workers_thread.ts";

/** As many as the workers of a machine with a few cores. */
const WORKERS = 4;
/** Each loads the whole server, on a machine that may be busy. */
const START_MS = 30_000;

/** One of several workers that share their sessions. */
export interface WorkerThread {
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
}

/** Workers that share their sessions, behind a front that knows of no clients. */
export interface Workers extends AsyncDisposable {
  /** Of the front. */
  readonly httpUrl: URL;
  readonly sseUrl: URL;
  /** Those that are alive. */
  readonly alive: readonly WorkerThread[];
  close(): Promise<void>;
}

/** Starts workers, and waits until they know of each other. */
export async function startWorkers(engine: Engine): Promise<Workers> {
  const group = crypto.randomUUID();
  let alive: readonly WorkerThread[] = [];
  const start = async (_: unknown, index: number) => {
    const worker = await startWorker({ name: `${index + 1}`, group, engine });
    worker.onEnd(() => alive = alive.filter((other) => other !== worker));
    return worker;
  };
  alive = await Promise.all(Array.from({ length: WORKERS }, start));
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
      const knowsAll = async () => await worker.call("nodes") === WORKERS;
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
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function startWorker(
  workerData: WorkerOptions,
): Promise<WorkerThread & { onEnd(listener: () => void): void }> {
  const worker = new Worker(new URL("./workers_thread.ts", import.meta.url), {
    workerData,
  });
  const [port] = await once(worker, "message");
  let count = 0;
  const waiting = new Map<number, (outcome: Outcome) => void>();
  worker.on("message", (outcome: Outcome) => {
    waiting.get(outcome.number)?.(outcome);
    waiting.delete(outcome.number);
  });
  const isOver = new Promise<void>((resolve) =>
    worker.once("exit", () => {
      for (const [number, settle] of waiting) {
        settle({ number, error: "The worker has ended." });
      }
      resolve();
    })
  );
  return {
    name: workerData.name,
    httpUrl: new URL(`http://127.0.0.1:${port}/mcp`),
    call: async (action, ...args) => {
      const order: Order = { number: ++count, action, args };
      const { value, error } = await new Promise<Outcome>((resolve) => {
        waiting.set(order.number, resolve);
        worker.postMessage(order);
      });
      if (error !== undefined) throw new Error(error);
      return value as never;
    },
    kill: async () => {
      await worker.terminate();
      await isOver;
    },
    onEnd: (listener) => worker.once("exit", listener),
  };
}
