/**
 * How long sending takes, for `deno bench`: to everyone and to chosen sessions, one
 * by one and in bursts, with and without limits and replay, up to 100,000 streams.
 * `fan_out_ratios.ts` compares on every runtime and asserts what is claimed.
 */
import {
  type Contender,
  FanOut,
  frame,
  type Load,
  type Run,
} from "./fan_out.ts";

const NAMES: Record<Contender, string> = {
  ours: "@crossmcp/session-manager",
  unlimited: "… without limits",
  replay: "… with replay",
  peer: "@tmcp/session-manager",
  "better-sse": "better-sse",
  floor: "bare loop of enqueue",
};
const SENT: Load = { reader: "waiting", until: "sent" };
const BURST: Load = { reader: "waiting", until: "read", burst: 10 };

interface Case {
  readonly group: string;
  readonly sessions: number;
  readonly bytes: number;
  readonly load: Load;
  readonly contenders: Contender[];
}

// Better-sse's streams hand nothing over before somebody reads: what it takes can be
// told in the end alone. Of 100,000 of them, each is three streams: too much.
const CASES: Case[] = [
  ...[100, 1_000, 10_000, 100_000].map((sessions) => ({
    group: `1 KB to ${named(sessions)}`,
    sessions,
    bytes: 1_000,
    load: SENT,
    contenders: ["ours", "peer", "floor"] as Contender[],
  })),
  ...[100, 10_000].map((bytes) => ({
    group: `${bytes / 1_000} KB to 10,000`,
    sessions: 10_000,
    bytes,
    load: SENT,
    contenders: ["ours", "peer", "floor"] as Contender[],
  })),
  ...[[1, 100], [10, 10_000], [1_000, 10_000], [1_000, 100_000]].map((
    [chosen = 0, sessions = 0],
  ) => ({
    group: `1 KB to ${named(chosen)} of ${named(sessions)}`,
    sessions,
    bytes: 1_000,
    load: { ...SENT, chosen },
    contenders: ["ours", "peer", "floor"] as Contender[],
  })),
  ...[1_000, 10_000, 100_000].map((sessions) => ({
    group: `ten times 1 KB to ${named(sessions)}, until all is read`,
    sessions,
    bytes: 1_000,
    load: BURST,
    contenders: [
      "ours",
      // The peer encodes 1 GB for them, held by the streams until all is read.
      ...(sessions > 10_000 ? [] : ["peer", "better-sse"] as const),
      "floor",
    ] as Contender[],
  })),
  ...[SENT, BURST].map((load) => ({
    group: `limits and replay: ${
      load.burst ?? 1
    } times 1 KB to 10,000, until ${load.until}`,
    sessions: 10_000,
    bytes: 1_000,
    load,
    contenders: ["ours", "unlimited", "replay", "floor"] as Contender[],
  })),
];

for (const what of CASES) {
  for (const contender of what.contenders) bench(what, contender);
}

function bench(what: Case, contender: Contender): void {
  const { sessions, bytes, load, contenders } = what;
  // Once is too short to be timed.
  const times = (load.chosen ?? sessions) < 100 ? 100 : 1;
  // Emptying many streams, and finding some of them the peer's way, takes so long
  // that a few runs have to do.
  const isLong = sessions * (load.burst ?? 1) > 10_000 &&
    (contender === "peer" || contender === "better-sse" || !load.chosen);
  const text = frame(bytes);
  Deno.bench({
    name: NAMES[contender],
    group: times === 1 ? what.group : `${times} times ${what.group}`,
    baseline: contender === contenders[0],
    n: isLong ? 10 : 50,
    warmup: isLong ? 3 : 20,
    async fn(b) {
      const runs = await runsOf(what, contender, text, times);
      for (const run of runs) run.prepare();
      b.start();
      for (const run of runs) {
        const done = run.run();
        if (done !== undefined) await done;
      }
      b.end();
      for (const run of runs) await run.finish();
    },
  });
}

let opened: { for: Case; fanOut: FanOut; runs: Map<Contender, Run[]> };

/** The streams of one case stay open for all who are measured on them. */
async function runsOf(
  what: Case,
  contender: Contender,
  text: string,
  times: number,
): Promise<Run[]> {
  if (opened?.for !== what) {
    await opened?.fanOut.close();
    opened = {
      for: what,
      fanOut: new FanOut(what.sessions),
      runs: new Map(),
    };
  }
  const { fanOut, runs } = opened;
  let own = runs.get(contender);
  if (own === undefined) {
    own = [];
    // Each has readers of its own that wait for it.
    for (let first = 0; first < times; first++) {
      own.push(await fanOut.run(contender, { ...what.load, first }, text));
    }
    runs.set(contender, own);
  }
  return own;
}

function named(count: number): string {
  return count.toLocaleString("en");
}
