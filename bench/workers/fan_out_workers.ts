/**
 * A broadcast to 4 workers with 2,500 streams each, 1 KB a text, as a ratio to a bare
 * `postMessage` of the same texts in batches, at most 16 unacknowledged, and the
 * fan-out in each worker. Then what single operations cost in messages and
 * milliseconds. Runs on Deno, Node and Bun: `deno task bench:workers` runs it on each
 * that it finds. `--assert` makes the exit code 1 when a goal is missed.
 */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { setTimeout as delay } from "node:timers/promises";
import { BroadcastChannelSessions } from "../../src/broadcast_channel/mod.ts";
import { frame } from "../fan_out.ts";
import { ratio, spread } from "../paired_rounds.ts";
import { exit, flags, runtime } from "../runtime.ts";
import { Crowd } from "./crowd.ts";
import { serve, type Setup } from "./fan_out_worker.ts";

const WORKERS = 4;
const STREAMS = 2_500;
const ROUNDS = 10;
const TEXTS = 100;
const text = frame(1_000);
const LEAST_RATE = 0.7;
const MOST_CREATE_MS = 2;

if (isMainThread) await main();
else await serve(parentPort!, workerData as Setup);

async function main(): Promise<void> {
  const crowd = await Crowd.start(new URL(import.meta.url), WORKERS, STREAMS);
  /** How many texts a second reach their readers. */
  const rate = async (contender: "ours" | "bare", burst: number) => {
    const ms = await crowd.send(contender, text, TEXTS, burst);
    return TEXTS * WORKERS * STREAMS / ms * 1_000;
  };

  console.log(
    `${runtime.name} ${runtime.version}: 1 KB to ${WORKERS} workers with ` +
      `${STREAMS} streams each`,
  );
  let isMissed = false;
  for (const burst of [10, 100]) {
    const ours: number[] = [];
    const floor: number[] = [];
    for (let round = -2; round < ROUNDS; round++) {
      const order = round % 2 === 0
        ? ["ours", "bare"] as const
        : ["bare", "ours"] as const;
      for (const contender of order) {
        const reached = await rate(contender, burst);
        if (round >= 0) (contender === "ours" ? ours : floor).push(reached);
      }
    }
    const { low, median, high } = ratio(ours, floor);
    const isMet = median >= LEAST_RATE;
    isMissed ||= !isMet;
    console.log(
      `${isMet ? "met   " : "MISSED"}  bursts of ${burst}: ` +
        `${Math.round(spread(ours).median)} deliveries/s, ${
          median.toFixed(2)
        } times the floor's (${low.toFixed(2)}-${
          high.toFixed(2)
        }), at least ${LEAST_RATE}`,
    );
  }
  isMissed ||= !await operations();
  if (isMissed && flags.includes("--assert")) exit(1);
  exit(0);
}

/** The messages that single operations take, and how long others do not know. */
async function operations(): Promise<boolean> {
  const name = crypto.randomUUID();
  const one = new BroadcastChannelSessions(name);
  const two = new BroadcastChannelSessions(name);
  await Promise.all([one.ready, two.ready]);
  const times: number[] = [];
  for (let at = 0; at < 200; at++) {
    const start = performance.now();
    await one.streams.create(`${at}`, newController());
    if (!await two.streams.has(`${at}`)) throw new Error("Nobody knows of it.");
    times.push(performance.now() - start);
  }
  const { median } = spread(times);
  const isMet = median < MOST_CREATE_MS;
  console.log(
    `${isMet ? "met   " : "MISSED"}  create until known elsewhere: ${
      median.toFixed(2)
    } ms, under ${MOST_CREATE_MS}`,
  );
  const published = async (act: () => unknown) => {
    const before = two.stats().cluster.published;
    await act();
    await delay(50);
    return two.stats().cluster.published - before;
  };
  const has = await published(() => two.streams.has("7"));
  const sent = await published(() =>
    two.streams.send(Array.from({ length: 100 }, (_, id) => `${id}`), text)
  );
  const all = await published(() => two.streams.send(undefined, text));
  const isCheap = has === 0 && sent === 1 && all === 1;
  console.log(
    `${
      isCheap ? "met   " : "MISSED"
    }  messages: ${has} for has, ${sent} for a ` +
      `send to 100 sessions of one node, ${all} for a broadcast`,
  );
  await Promise.all([one.close(), two.close()]);
  return isMet && isCheap;
}

function newController(): ReadableStreamDefaultController {
  let controller!: ReadableStreamDefaultController;
  new ReadableStream({ start: (made) => void (controller = made) });
  return controller;
}
