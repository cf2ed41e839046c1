import { type Contender, FanOut, type Load, makeFrame } from "../fan_out.ts";
import { type Entrant, pairedRounds, spread } from "../paired_rounds.ts";
import { type Point, type Suite, times } from "./figures.ts";

const FRAME = makeFrame(1_000);
/** The size of a typical notification. */
const SMALL_FRAME = makeFrame(300);
/** Short enough that the peer can send ten of them to 100,000 sessions. */
const TINY_FRAME = makeFrame(100);
const QUEUED: Load = { reader: "behind", until: "sent" };
const WAITING: Load = { reader: "waiting", until: "sent" };
const SINGLE: Load = { reader: "waiting", until: "read" };
const BURST: Load = { reader: "waiting", until: "read", burst: 10 };
/** Beyond this many bytes at once, memory is measured rather than sending. */
const MAX_BYTES = 100_000_000;

/** Times contenders, each as often as its duration allows. */
async function compare<Name extends Contender>(
  fanOut: FanOut,
  load: Load,
  frame: string,
  rounds: number,
  runs: Record<Name, number>,
): Promise<Record<Name, number[]>> {
  const entrants: [string, Entrant][] = [];
  for (const [name, count] of Object.entries<number>(runs)) {
    if (count === 0) continue;
    const contender = name as Name;
    entrants.push([
      name,
      await fanOut.entrant(contender, load, frame, count),
    ]);
  }
  return pairedRounds(
    Object.fromEntries(entrants) as Record<Name, Entrant>,
    rounds,
  );
}

function broadcast(sessions: number): Suite {
  const all = sessions.toLocaleString("en");
  const few = sessions > 10_000;
  const runs = few ? 4 : 20;
  return {
    name: `broadcast to ${all}`,
    isShort: !few,
    run: async (rounds) => {
      const fanOut = new FanOut(sessions);
      const queued = await compare(fanOut, QUEUED, FRAME, rounds, {
        ours: runs,
        bareLoop: runs,
        peer: few ? 1 : 5,
      });
      const waiting = await compare(fanOut, WAITING, FRAME, rounds, {
        ours: runs,
        bareLoop: runs,
      });
      const sent = `${all} sessions, 1 KB`;
      const figures = [
        times(`${sent}: ours / bare loop`, queued.ours, queued.bareLoop, 1.05),
        times(
          `${sent}: ours / @tmcp/session-manager`,
          queued.ours,
          queued.peer,
        ),
        times(
          `${sent}, readers wait: ours / bare loop`,
          waiting.ours,
          waiting.bareLoop,
          1.05,
        ),
      ];
      await fanOut.close();
      return { figures };
    },
  };
}

function bursts(sessions: number): Suite {
  const all = sessions.toLocaleString("en");
  const few = sessions > 10_000;
  return {
    name: `bursts to ${all}`,
    isShort: !few,
    run: async (rounds) => {
      const fanOut = new FanOut(sessions);
      const { ours, bareLoop, peer } = await compare(
        fanOut,
        BURST,
        TINY_FRAME,
        // The peer takes seconds for each.
        few ? Math.min(rounds, 7) : rounds,
        { ours: few ? 2 : 5, bareLoop: few ? 1 : 3, peer: 1 },
      );
      await fanOut.close();
      const id = `${all} sessions, ten times 100 B, until read: ours / `;
      return {
        figures: [
          times(`${id}bare loop`, ours, bareLoop, 1),
          times(`${id}@tmcp/session-manager`, ours, peer),
        ],
      };
    },
  };
}

const recipients: Suite = {
  name: "targeted sends",
  isShort: false,
  run: async (rounds) => {
    const fanOut = new FanOut(100_000);
    const load: Load = { ...QUEUED, recipients: 1_000 };
    const { ours, bareLoop, peer } = await compare(
      fanOut,
      load,
      FRAME,
      rounds,
      {
        ours: 20,
        bareLoop: 20,
        peer: 1,
      },
    );
    await fanOut.close();
    const id = "1,000 of 100,000 sessions, 1 KB: ours / ";
    return {
      figures: [
        times(`${id}bare loop`, ours, bareLoop),
        times(`${id}@tmcp/session-manager`, ours, peer),
      ],
    };
  },
};

const features: Suite = {
  name: "features",
  isShort: true,
  run: async (rounds) => {
    const fanOut = new FanOut(10_000);
    const { ours, unlimited, replay } = await compare(
      fanOut,
      WAITING,
      FRAME,
      rounds,
      { ours: 20, unlimited: 20, replay: 20 },
    );
    await fanOut.close();
    const id = "10,000 sessions, 1 KB: with";
    return {
      figures: [
        times(`${id} limits / without`, ours, unlimited),
        times(`${id} replay / without`, replay, ours),
      ],
    };
  },
};

/** The cost of a message at 100,000 sessions, compared with 1,000. */
const growth: Suite = {
  name: "growth",
  isShort: false,
  run: async (rounds) => {
    const [few, many] = [new FanOut(1_000), new FanOut(100_000)];
    const entrant = (of: FanOut, name: Contender, runs: number) =>
      of.entrant(name, QUEUED, FRAME, runs);
    const took = await pairedRounds({
      few: await entrant(few, "ours", 100),
      many: await entrant(many, "ours", 3),
      bareLoopOfFew: await entrant(few, "bareLoop", 100),
      bareLoopOfMany: await entrant(many, "bareLoop", 3),
    }, rounds);
    await few.close();
    await many.close();
    const growthOf = (many: number[], few: number[]) =>
      many.map((ms, round) => ms / 100 / few[round]!);
    const ours = growthOf(took.many, took.few);
    const bareLoop = growthOf(took.bareLoopOfMany, took.bareLoopOfFew);
    const id = "a message at 100,000 sessions / at 1,000:";
    const ones = ours.map(() => 1);
    return {
      figures: [
        times(`${id} ours`, ours, ones, 1.3),
        // The memory of the bare loop outgrows the processor's caches, too.
        times(`${id} bare loop`, bareLoop, ones),
        times(`${id} ours / bare loop`, ours, bareLoop, 1.3),
      ],
    };
  },
};

/** Time per message at many sizes, for the picture. */
const curve: Suite = {
  name: "curve",
  isShort: false,
  run: async (rounds) => {
    const points: Point[] = [];
    for (const sessions of [1_000, 3_000, 10_000, 30_000, 100_000]) {
      const fanOut = new FanOut(sessions);
      for (const load of [SINGLE, BURST]) {
        const messages = sessions * (load.burst ?? 1);
        // Often enough for the runtime to compile the hot functions.
        const often = Math.max(Math.round(100_000 / messages), 3);
        const runs = {
          ours: often,
          bareLoop: often,
          ...(messages * SMALL_FRAME.length <= MAX_BYTES ? { peer: 2 } : {}),
          // Each of its streams is a chain of three.
          ...(sessions <= 10_000 ? { "better-sse": 2 } : {}),
        } as Record<Contender, number>;
        const took = await compare(
          fanOut,
          load,
          SMALL_FRAME,
          Math.min(rounds, 5),
          runs,
        );
        for (const [contender, ms] of Object.entries(took)) {
          const ns = spread(ms).median * 1e6 / messages;
          const burst = load.burst ?? 1;
          points.push({ contender, sessions, burst, ns: Math.round(ns) });
        }
      }
      await fanOut.close();
    }
    return { figures: [], points };
  },
};

/** Sending to streams of the same process. */
export const FAN_OUT_SUITES: readonly Suite[] = [
  broadcast(10_000),
  bursts(10_000),
  features,
  broadcast(100_000),
  bursts(100_000),
  recipients,
  growth,
  curve,
];
