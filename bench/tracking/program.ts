/**
 * Measures on the runtime that runs it, and prints its findings as JSON, a line
 * for each suite. `run.ts` bundles and starts it. The arguments are the number
 * of rounds, "short" or "all", and the names of suites (all by default).
 */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { exit, flags } from "../runtime.ts";
import { serve, type Setup } from "../workers/fan_out_worker.ts";
import { serveRequests, type ServerSetup } from "../workers/server_thread.ts";
import { FAN_OUT_SUITES } from "./fan_out_suites.ts";
import { GUARD_SUITES } from "./guard_suites.ts";
import { SDK_SUITES } from "./sdk_suites.ts";
import { otherSuites } from "./other_suites.ts";
import { redis } from "./redis_suite.ts";
import { threadSuites } from "./thread_suites.ts";

async function main(): Promise<void> {
  const [rounds, size, ...names] = flags;
  const suites = [
    ...otherSuites(new URL(import.meta.url)),
    ...FAN_OUT_SUITES,
    ...GUARD_SUITES,
    ...SDK_SUITES,
    ...threadSuites(new URL(import.meta.url)),
    redis,
  ].filter(({ name, isShort }) =>
    names.length > 0 ? names.includes(name) : isShort || size === "all"
  );
  for (const { name, run } of suites) {
    console.log(JSON.stringify({ suite: name, ...await run(Number(rounds)) }));
  }
}

if (isMainThread) {
  await main();
  exit(0);
} else {
  const setup = workerData as Setup | ServerSetup;
  if ("cluster" in setup) await serveRequests(parentPort!, setup);
  else await serve(parentPort!, setup);
}
