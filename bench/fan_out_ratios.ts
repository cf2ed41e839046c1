/**
 * Our fan-out compared with the peer's and with a bare loop, as ratios that
 * hold on a slow or busy machine too. `deno task bench:ratios` runs it on Deno,
 * Node and Bun where they are found. With `--assert`, it exits with 1 if a goal
 * is missed.
 *
 * The goals are about queued data: the work of the manager and of the queue. If
 * a reader waits, as the server of a live connection does, its promise is
 * resolved within the same call, whoever makes it. That takes most of the time,
 * even for the bare loop, and is shown separately.
 */
import { FanOut, type Load, makeFrame } from "./fan_out.ts";
import { pairedRounds, ratio, type Spread, spread } from "./paired_rounds.ts";
import { exit, flags, runtime } from "./runtime.ts";

const BYTES = 1_000;
const CONTENDERS = ["ours", "peer", "bareLoop"] as const;
type Contender = typeof CONTENDERS[number];
const READERS: Load["reader"][] = ["waiting", "behind"];
/** The minimum ratio of the peer's time for a broadcast to ours. */
const PEER_BROADCAST_GOAL = { Deno: 10, Node: 3, Bun: 8 }[runtime.name];

const frame = makeFrame(BYTES);
const missed: string[] = [];

/** Runs every contender with one kind of `send`. */
async function compare(
  label: string,
  fanOut: FanOut,
  load: Load,
  rounds: number,
  runs: Record<Contender, number>,
): Promise<{ toLowerBound: number; peer: number; ceiling: number }> {
  const entrant = (name: Contender) =>
    fanOut.entrant(name, load, frame, runs[name]);
  const { ours, peer, bareLoop } = await pairedRounds({
    ours: await entrant("ours"),
    peer: await entrant("peer"),
    bareLoop: await entrant("bareLoop"),
  }, rounds);
  const ratios = {
    toLowerBound: ratio(ours, bareLoop),
    peer: ratio(peer, ours),
    ceiling: ratio(peer, bareLoop),
  };
  row(
    `${label}, ${load.reader}`,
    milliseconds(bareLoop),
    milliseconds(ours),
    milliseconds(peer),
    times(ratios.toLowerBound),
    times(ratios.peer),
  );
  return {
    toLowerBound: ratios.toLowerBound.median,
    peer: ratios.peer.median,
    ceiling: ratios.ceiling.median,
  };
}

/**
 * Compares the time for the same number of recipients among ten times as many
 * sessions. Nothing walks the others, but they fill memory and the index of
 * IDs, so that the processor's caches hold less of it: about twice the time if
 * recipients are spread as far apart as possible, as here.
 */
async function grow(few: FanOut, many: FanOut): Promise<number> {
  const load: Load = { reader: "waiting", until: "sent", recipients: 1_000 };
  const entrant = (of: FanOut, name: Contender) =>
    of.entrant(name, load, frame, 20);
  const times = await pairedRounds({
    few: await entrant(few, "ours"),
    many: await entrant(many, "ours"),
    bareLoopOfFew: await entrant(few, "bareLoop"),
    bareLoopOfMany: await entrant(many, "bareLoop"),
  }, 15);
  const ours = ratio(times.many, times.few).median;
  const bareLoop = ratio(times.bareLoopOfMany, times.bareLoopOfFew).median;
  console.log(
    "1,000 of 100,000 to 1,000 of 10,000: " +
      `ours ${ours.toFixed(2)}, bare loop ${bareLoop.toFixed(2)}`,
  );
  return ours;
}

function expect(what: string, holds: boolean): void {
  console.log(`${holds ? "met   " : "MISSED"}  ${what}`);
  if (!holds) missed.push(what);
}

function row(label: string, ...cells: string[]): void {
  const widths = [9, 9, 12, 19, 18];
  console.log(
    label.padEnd(26) +
      cells.map((cell, at) => cell.padStart(widths[at]!)).join(""),
  );
}

function milliseconds(values: number[]): string {
  return `${spread(values).median.toFixed(2)} ms`;
}

function times({ low, median, high }: Spread): string {
  const digits = median < 10 ? 2 : 0;
  const [from, middle, to] = [low, median, high]
    .map((value) => value.toFixed(digits));
  return `${middle} (${from}-${to})`;
}

const WAITING = READERS.indexOf("waiting");
const QUEUED = READERS.indexOf("behind");

console.log(`${runtime.name} ${runtime.version}, messages of ${BYTES} bytes`);
row("", "bare loop", "ours", "peer", "ours/bare loop", "peer/ours");

const small = new FanOut(10_000);
const broadcasts = [];
for (const reader of READERS) {
  const runs = { ours: 20, peer: 20, bareLoop: 20 };
  const load: Load = { reader, until: "sent" };
  broadcasts.push(await compare("all 10,000", small, load, 11, runs));
}
const large = new FanOut(100_000);
const recipients = [];
for (const reader of READERS) {
  // One run of the peer takes as long as hundreds of the others.
  const runs = { ours: 20, peer: 1, bareLoop: 20 };
  const load: Load = { reader, until: "sent", recipients: 1_000 };
  recipients.push(await compare("1,000 of 100,000", large, load, 5, runs));
}
const growth = await grow(small, large);

expect(
  "all 10,000: at most 1.15 times as long as the bare loop",
  broadcasts[QUEUED]!.toLowerBound <= 1.15,
);
expect(
  `all 10,000: at least ${PEER_BROADCAST_GOAL} times as fast as the peer, which ` +
    `the bare loop is ${broadcasts[QUEUED]!.ceiling.toFixed(1)} times ` +
    `(${broadcasts[WAITING]!.ceiling.toFixed(1)} with waiting readers)`,
  broadcasts[QUEUED]!.peer >= PEER_BROADCAST_GOAL,
);
expect(
  "1,000 of 100,000: at least 100 times as fast as the peer",
  recipients[QUEUED]!.peer >= 100,
);
expect(
  "1,000 of 100,000: at most 3 times as long as of 10,000; in proportion: 10",
  growth <= 3,
);
if (missed.length > 0 && flags.includes("--assert")) exit(1);
