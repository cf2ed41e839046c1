import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fromLine, toLine } from "../../redis/support/json_lines.ts";
import { RedisServer } from "../../redis/support/redis_server.ts";
import { commandFor, OWN_RUNTIME } from "../../redis/support/runtimes.ts";
import type { ProcessOptions } from "./redis_process.ts";
import type { Engine } from "./serve.ts";
import {
  type RunningWorker,
  startBehindLoadBalancer,
  type Workers,
} from "./workers.ts";
import type { CallResult } from "./workers_actions.ts";
import { WorkerCalls } from "./workers_calls.ts";

/** Processes that share their sessions through Redis. */
export interface RedisWorkers extends Workers {
  /** Starts another process, which is not behind the load balancer. */
  start(name: string): Promise<RunningWorker>;
}

/** Starts a Redis server and two processes. Resolves when they know each other. */
export async function startRedisWorkers(engine: Engine): Promise<RedisWorkers> {
  const redis = await RedisServer.start();
  const started = new Set<RunningWorker>();
  const start = async (name: string) => {
    const worker = await startProcess({ name, redisPort: redis.port, engine });
    started.add(worker);
    void worker.ended.then(() => started.delete(worker));
    return worker;
  };
  const closeAll = async () => {
    await Promise.all([...started].map((worker) => worker.kill()));
    await redis.kill();
  };
  try {
    const workers = await startBehindLoadBalancer(["1", "2"].map(start));
    const close = async () => {
      await workers.close();
      await closeAll();
    };
    return {
      httpUrl: workers.httpUrl,
      sseUrl: workers.sseUrl,
      get alive() {
        return workers.alive;
      },
      add: workers.add,
      start,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function startProcess(options: ProcessOptions): Promise<RunningWorker> {
  const script = new URL("./redis_process.ts", import.meta.url);
  const [program, ...args] = commandFor(OWN_RUNTIME, script);
  const child = spawn(program, [...args, JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  // A killed process doesn't read its stdin.
  child.stdin.on("error", () => {});
  const calls = new WorkerCalls((call) => child.stdin.write(toLine(call)));
  const ended = once(child, "close").then(() => calls.end());
  const lines = createInterface({ input: child.stdout });
  const failed = ended.then(() => {
    throw new Error("The worker exited before it was ready.");
  });
  failed.catch(() => {});
  const [line] = await Promise.race([once(lines, "line"), failed]);
  lines.on("line", (line) => calls.settle(fromLine(line) as CallResult));
  return {
    name: options.name,
    httpUrl: new URL(`http://127.0.0.1:${fromLine(line)}/mcp`),
    call: (action, ...args) => calls.call(action, ...args),
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
    ended,
  };
}
