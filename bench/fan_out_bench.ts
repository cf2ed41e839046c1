/**
 * How long sending takes, for `deno bench`: broadcasts and targeted sends,
 * single and in bursts, with and without limits and replay, up to 100,000
 * streams. `fan_out_ratios.ts` compares on every runtime and asserts the
 * claims.
 */
import {
  type Contender,
  FanOut,
  type Load,
  makeFrame,
  type Run,
} from "./fan_out.ts";

const NAMES: Record<Contender, string> = {
  ours: "@crossmcp/session-manager",
  unlimited: "… without limits",
  replay: "… with replay",
  peer: "@tmcp/session-manager",
  "better-sse": "better-sse",
  bareLoop: "bare loop of enqueue",
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

// better-sse's streams pass nothing on before there is a reader, so it can be
// timed only until everything is read. With 100,000 sessions it is left out:
// each of its streams is a chain of three.
const CASES: Case[] = [
  ...[100, 1_000, 10_000, 100_000].map((sessions) => ({
    group: `1 KB to ${named(sessions)}`,
    sessions,
    bytes: 1_000,
    load: SENT,
    contenders: ["ours", "peer", "bareLoop"] as Contender[],
  })),
  ...[100, 10_000].map((bytes) => ({
    group: `${bytes / 1_000} KB to 10,000`,
    sessions: 10_000,
    bytes,
    load: SENT,
    contenders: ["ours", "peer", "bareLoop"] as Contender[],
  })),
  ...[[1, 100], [10, 10_000], [1_000, 10_000], [1_000, 100_000]].map((
    [recipients = 0, sessions = 0],
  ) => ({
    group: `1 KB to ${named(recipients)} of ${named(sessions)}`,
    sessions,
    bytes: 1_000,
    load: { ...SENT, recipients },
    contenders: ["ours", "peer", "bareLoop"] as Contender[],
  })),
  ...[1_000, 10_000, 100_000].map((sessions) => ({
    group: `ten times 1 KB to ${named(sessions)}, until all is read`,
    sessions,
    bytes: 1_000,
    load: BURST,
    contenders: [
      "ours",
      // The peer encodes 1 GB for them, which the streams hold until it is
      // read.
      ...(sessions > 10_000 ? [] : ["peer", "better-sse"] as const),
      "bareLoop",
    ] as Contender[],
  })),
  ...[SENT, BURST].map((load) => ({
    group: `limits and replay: ${
      load.burst ?? 1
    } times 1 KB to 10,000, until ${load.until}`,
    sessions: 10_000,
    bytes: 1_000,
    load,
    contenders: ["ours", "unlimited", "replay", "bareLoop"] as Contender[],
  })),
];

for (const what of CASES) {
  for (const contender of what.contenders) bench(what, contender);
}

function bench(what: Case, contender: Contender): void {
  const { sessions, bytes, load, contenders } = what;
  // Once is too short to time.
  const times = (load.recipients ?? sessions) < 100 ? 100 : 1;
  // Emptying many streams takes long, and so does finding some of them the
  // peer's way. Few runs must do.
  const isLong = sessions * (load.burst ?? 1) > 10_000 &&
    (contender === "peer" || contender === "better-sse" || !load.recipients);
  const frame = makeFrame(bytes);
  Deno.bench({
    name: NAMES[contender],
    group: times === 1 ? what.group : `${times} times ${what.group}`,
    baseline: contender === contenders[0],
    n: isLong ? 10 : 50,
    warmup: isLong ? 3 : 20,
    async fn(b) {
      const runs = await runsOf(what, contender, frame, times);
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

/**
 * The streams of one case stay open for all contenders that are measured on
 * them.
 */
async function runsOf(
  what: Case,
  contender: Contender,
  frame: string,
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
    // Each has its own waiting readers.
    for (let first = 0; first < times; first++) {
      own.push(await fanOut.run(contender, { ...what.load, first }, frame));
    }
    runs.set(contender, own);
  }
  return own;
}

function named(count: number): string {
  return count.toLocaleString("en");
}
