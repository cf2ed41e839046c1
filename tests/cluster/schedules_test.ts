import fc from "fast-check";
import process from "node:process";
import { describe, it } from "node:test";
import { withFakeTime } from "../support/streams.ts";
import { schedules } from "./support/operations.ts";
import { Run } from "./support/run.ts";

// CLUSTER_RUNS=20000 runs a longer soak, with another seed each time.
// CLUSTER_SEED and CLUSTER_PATH repeat a failure, which prints both.
const { CLUSTER_RUNS, CLUSTER_SEED, CLUSTER_PATH } = process.env;
const parameters: fc.Parameters<unknown> = {
  numRuns: Number(CLUSTER_RUNS ?? 350),
  ...(CLUSTER_RUNS === undefined ? { seed: seedOfRuntime() } : {}),
  ...(CLUSTER_SEED === undefined ? {} : { seed: Number(CLUSTER_SEED) }),
  ...(CLUSTER_PATH === undefined ? {} : { path: CLUSTER_PATH }),
};

describe("ClusterSessions: random schedules on a network that loses messages", () => {
  it("C10 nodes agree in the end, and frames arrive once and in order", async () => {
    await fc.assert(
      fc.asyncProperty(
        schedules,
        (schedule) => withFakeTime((time) => new Run(schedule, time).all()),
      ),
      parameters,
    );
  });
});

/** Each runtime has another seed, so that together they try more. */
function seedOfRuntime(): number {
  const { bun, deno } = process.versions;
  return 20_251_125 + (bun !== undefined ? 2 : deno !== undefined ? 1 : 0);
}
