import fc from "fast-check";
import process from "node:process";
import { describe, it } from "node:test";
import { withFakeTime } from "../support/streams.ts";
import type { Limits } from "./model.ts";
import { operations } from "./operations.ts";
import { Run } from "./run.ts";

// MODEL_RUNS=20000 runs longer, with a new seed each time. MODEL_SEED and
// MODEL_PATH repeat a failure, whose message contains both.
const { MODEL_RUNS, MODEL_SEED, MODEL_PATH } = process.env;
const parameters: fc.Parameters<unknown> = {
  numRuns: Number(MODEL_RUNS ?? 200),
  ...(MODEL_RUNS === undefined ? { seed: 20_251_125 } : {}),
  ...(MODEL_SEED === undefined ? {} : { seed: Number(MODEL_SEED) }),
  ...(MODEL_PATH === undefined ? {} : { path: MODEL_PATH }),
};

const limits = fc.record({
  maxBytes: fc.constantFrom(1, 100, 300, 1_000, Infinity),
  maxAgeMs: fc.constant(3_000),
  keepAliveMs: fc.constant(1_200),
  maxSessions: fc.constantFrom(3, 5, Infinity),
});

const large = {
  maxEvents: 10_000,
  maxBytes: 16_777_216,
  maxAgeMs: Infinity,
  maxShare: 1,
};
const small = fc.record({
  maxEvents: fc.constantFrom(5, 8),
  maxBytes: fc.constantFrom(200, 100_000),
  maxAgeMs: fc.constantFrom(2_000, 100_000),
  maxShare: fc.constant(1),
});

describe("InMemoryStreamSessionManager, compared with a model", () => {
  for (
    const [name, replay] of [
      ["without replay", fc.constant<Limits["replay"]>(false)],
      ["with replay", fc.constant<Limits["replay"]>(large)],
      ["with replay and low limits", small],
    ] as const
  ) {
    for (const coalesce of [true, false]) {
      it(
        `S1 to S17 ${name}, ${coalesce ? "coalescing" : "without coalescing"}`,
        () => assertSameBehavior(replay, coalesce, name !== "without replay"),
      );
    }
  }
});

/** Runs random operations, and reduces a failure to the shortest sequence. */
async function assertSameBehavior(
  replay: fc.Arbitrary<Limits["replay"]>,
  coalesce: boolean,
  hasReplay: boolean,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(limits, replay),
      operations(hasReplay),
      fc.constantFrom(0, 0, 200),
      async ([given, replay], operations, drainMs) => {
        const maxAgeMs = given.maxBytes === Infinity
          ? Infinity
          : given.maxAgeMs;
        const limits = { ...given, maxAgeMs, replay, coalesce, periodMs: 300 };
        await withFakeTime((time) =>
          new Run(limits, time).all(operations, drainMs)
        );
      },
    ),
    parameters,
  );
}
