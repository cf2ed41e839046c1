/**
 * What limits, keep-alive, coalescing and replay cost a broadcast to 10,000 readers
 * that have read all there was, as ratios: with everything off, with the defaults,
 * and with replay as well. Runs on Deno, Node and Bun: `deno task bench:costs` runs
 * it on each that it finds. `--assert` makes the exit code 1 when a goal is missed.
 */
import { setImmediate } from "node:timers/promises";
import {
  InMemoryStreamSessionManager,
  type InMemoryStreamSessionManagerOptions,
} from "../mod.ts";
import { frame } from "./fan_out.ts";
import { type Entrant, pairedRounds, ratio, spread } from "./paired_rounds.ts";
import { exit, flags, runtime } from "./runtime.ts";
import { Streams } from "./streams.ts";

const SESSIONS = 10_000;
const ROUNDS = 15;
const RUNS = 20;
const text = frame(1_000);

const VARIANTS = {
  off: { backlog: false, keepAliveMs: false, coalesce: false },
  defaults: {},
  replay: { replay: {} },
} satisfies Record<string, InMemoryStreamSessionManagerOptions>;

// The same streams for all: where they lie in memory makes a difference of its own.
const streams = new Streams(SESSIONS);
const everyone = [...streams.controllers.keys()];

function entrant(options: InMemoryStreamSessionManagerOptions): Entrant {
  const manager = new InMemoryStreamSessionManager(options);
  for (const controller of streams.controllers) {
    manager.create(crypto.randomUUID(), controller);
  }
  return {
    runs: RUNS,
    prepare: () => streams.wait(everyone),
    run: () => {
      manager.send(undefined, text);
      // Somebody polls them, more often than anyone does.
      manager.stats();
    },
    finish: async () => {
      await streams.drain(everyone);
      await setImmediate();
    },
  };
}

const times = await pairedRounds({
  off: entrant(VARIANTS.off),
  defaults: entrant(VARIANTS.defaults),
  replay: entrant(VARIANTS.replay),
}, ROUNDS);

console.log(`${runtime.name} ${runtime.version}: 1 KB to ${SESSIONS} streams`);
for (const [name, values] of Object.entries(times)) {
  console.log(`${name.padEnd(10)}${spread(values).median.toFixed(2)} ms`);
}
const missed = [
  expect("limits, keep-alive and stats", times.defaults, times.off, 1.1),
  expect("replay on top of that", times.replay, times.defaults, 1.15),
].filter((isMet) => !isMet);
if (missed.length > 0 && flags.includes("--assert")) exit(1);
exit(0);

function expect(
  what: string,
  ones: number[],
  others: number[],
  most: number,
): boolean {
  const { low, median, high } = ratio(ones, others);
  const isMet = median <= most;
  const range = [low, high].map((value) => value.toFixed(2)).join("-");
  console.log(
    `${isMet ? "met   " : "MISSED"}  ${what}: ${median.toFixed(2)} times ` +
      `(${range}), at most ${most}`,
  );
  return isMet;
}
