/**
 * How long `send` takes, for `deno bench`: to everyone and to chosen sessions, up
 * to 100,000 streams whose readers wait, as those of live connections do.
 * `fan_out_ratios.ts` compares on every runtime and asserts what is claimed.
 */
import {
  type Contender,
  CONTENDERS,
  FanOut,
  frame,
  type Send,
} from "./fan_out.ts";

const NAMES: Record<Contender, string> = {
  ours: "@crossmcp/session-manager",
  peer: "@tmcp/session-manager",
  floor: "bare loop of enqueue",
};
const SIZES = { "100 B": 100, "1 KB": 1_000, "10 KB": 10_000 };

interface Case {
  readonly sessions: number;
  /** How many of them are named; everyone when left out. */
  readonly chosen?: number;
  /** How often, where once is too short to be timed. */
  readonly sends?: number;
}

const CASES: Case[] = [
  { sessions: 1, sends: 100 },
  { sessions: 100 },
  { sessions: 1_000 },
  { sessions: 10_000 },
  { sessions: 10_000, chosen: 10, sends: 100 },
  { sessions: 100_000 },
  { sessions: 100_000, chosen: 1_000 },
];

for (const what of CASES) {
  for (const [size, bytes] of Object.entries(SIZES)) {
    for (const contender of CONTENDERS) {
      // It would encode 10 KB for each of 100,000 sessions: 1 GB a send, held by
      // the streams until all is read.
      const tooMuch = contender === "peer" && what.chosen === undefined &&
        what.sessions * bytes > 100_000_000;
      if (!tooMuch) bench(what, size, bytes, contender);
    }
  }
}

function bench(
  what: Case,
  size: string,
  bytes: number,
  contender: Contender,
): void {
  const { sessions, chosen, sends = 1 } = what;
  const [all, some] = [sessions, chosen].map((n) => n?.toLocaleString("en"));
  const text = frame(bytes);
  // Emptying 100,000 streams, and finding 1,000 of them the peer's way, takes so
  // long that a few runs have to do.
  const few = sessions > 10_000 && (contender === "peer" || !chosen);
  Deno.bench({
    name: NAMES[contender],
    group: (sends > 1 ? `${sends} times ` : "") +
      `${size} to ${some === undefined ? all : `${some} of ${all}`}`,
    baseline: contender === "ours",
    n: few ? 10 : 100,
    warmup: few ? 3 : 20,
    async fn(b) {
      const all = await targets(what);
      for (const send of all) send.prepare("waiting");
      b.start();
      for (const send of all) send.run(contender, text);
      b.end();
      for (const send of all) await send.finish(contender, text);
    },
  });
}

let prepared: { for: Case; fanOuts: FanOut[]; sends: Send[] } | undefined;

/** The streams of one case stay open for all who are measured on them. */
async function targets(what: Case): Promise<Send[]> {
  if (prepared?.for !== what) {
    for (const fanOut of prepared?.fanOuts ?? []) await fanOut.close();
    const { sessions, chosen, sends = 1 } = what;
    // Each of several sends has readers of its own that wait for it.
    const fanOuts = Array.from(
      { length: chosen === undefined ? sends : 1 },
      () => new FanOut(sessions),
    );
    prepared = {
      for: what,
      fanOuts,
      sends: Array.from(
        { length: sends },
        (_, at) => fanOuts[at % fanOuts.length]!.send(chosen, at),
      ),
    };
  }
  return prepared.sends;
}
