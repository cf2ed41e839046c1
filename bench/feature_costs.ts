/**
 * The cost of limits, keep-alive, coalescing and replay for a broadcast to
 * 10,000 readers that keep up, as ratios: with everything off, with the
 * defaults, and with replay as well. `deno task bench:costs` runs it on Deno,
 * Node and Bun where they are found. With `--assert`, it exits with 1 if a goal
 * is missed.
 */
import { type Contender, FanOut, type Load, makeFrame } from "./fan_out.ts";
import { pairedRounds, ratio, spread } from "./paired_rounds.ts";
import { exit, flags, runtime } from "./runtime.ts";

const SESSIONS = 10_000;
const ROUNDS = 15;
const RUNS = 20;
const LOAD: Load = { reader: "waiting", until: "sent" };

const fanOut = new FanOut(SESSIONS);
const frame = makeFrame(1_000);
const entrant = (name: Contender) => fanOut.entrant(name, LOAD, frame, RUNS);
const times = await pairedRounds({
  off: await entrant("unlimited"),
  defaults: await entrant("ours"),
  replay: await entrant("replay"),
}, ROUNDS);

console.log(`${runtime.name} ${runtime.version}: 1 KB to ${SESSIONS} streams`);
for (const [name, values] of Object.entries(times)) {
  console.log(`${name.padEnd(10)}${spread(values).median.toFixed(2)} ms`);
}
const missed = [
  expect("limits and keep-alive", times.defaults, times.off, 1.1),
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
