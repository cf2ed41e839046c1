// The script of the workers of cluster_bench.ts. A bundle uses itself instead.
import { parentPort, workerData } from "node:worker_threads";
import { serve, type Setup } from "./fan_out_worker.ts";

await serve(parentPort!, workerData as Setup);
