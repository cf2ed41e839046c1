// What the workers of cluster_bench.ts run. A bundle runs itself in their place.
import { parentPort, workerData } from "node:worker_threads";
import { serve, type Setup } from "./fan_out_worker.ts";

await serve(parentPort!, workerData as Setup);
