/**
 * A broadcast to 4 workers with 2,500 streams each, 1 KB a frame, as a ratio to
 * a bare `postMessage` of the same frames in batches (at most 16
 * unacknowledged) and the fan-out in each worker. Then the messages and
 * milliseconds of single operations. `deno task bench:workers` runs it on Deno,
 * Node and Bun where they are found. With `--assert`, it exits with 1 if a goal
 * is missed.
 */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { setTimeout as delay } from "node:timers/promises";
import { BroadcastChannelSessions } from "../../src/broadcast_channel/mod.ts";
import { makeFrame } from "../fan_out.ts";
import { ratio, spread } from "../paired_rounds.ts";
import { exit, flags, runtime } from "../runtime.ts";
import { WorkerGroup } from "./worker_group.ts";
import { serve, type Setup } from "./fan_out_worker.ts";

const WORKERS = 4;
const STREAMS = 2_500;
const ROUNDS = 10;
const FRAMES = 100;
const frame = makeFrame(1_000);
const MIN_RATE = 0.7;
const MAX_CREATE_MS = 2;

if (isMainThread) await main();
else await serve(parentPort!, workerData as Setup);

async function main(): Promise<void> {
  const group = await WorkerGroup.start(
    new URL(import.meta.url),
    WORKERS,
    STREAMS,
  );
  /** Returns the frames delivered to readers per second. */
  const rate = async (contender: "ours" | "bare", burst: number) => {
    const ms = await group.send(contender, frame, FRAMES, burst);
    return FRAMES * WORKERS * STREAMS / ms * 1_000;
  };

  console.log(
    `${runtime.name} ${runtime.version}: 1 KB to ${WORKERS} workers with ` +
      `${STREAMS} streams each`,
  );
  let isMissed = false;
  for (const burst of [10, 100]) {
    const ours: number[] = [];
    const bareLoop: number[] = [];
    for (let round = -2; round < ROUNDS; round++) {
      const order = round % 2 === 0
        ? ["ours", "bare"] as const
        : ["bare", "ours"] as const;
      for (const contender of order) {
        const reached = await rate(contender, burst);
        if (round >= 0) (contender === "ours" ? ours : bareLoop).push(reached);
      }
    }
    const { low, median, high } = ratio(ours, bareLoop);
    const isMet = median >= MIN_RATE;
    isMissed ||= !isMet;
    console.log(
      `${isMet ? "met   " : "MISSED"}  bursts of ${burst}: ` +
        `${Math.round(spread(ours).median)} deliveries/s, ${
          median.toFixed(2)
        } times the lower bound's (${low.toFixed(2)}-${
          high.toFixed(2)
        }), at least ${MIN_RATE}`,
    );
  }
  isMissed ||= !await operations();
  if (isMissed && flags.includes("--assert")) exit(1);
  exit(0);
}

/**
 * Counts the messages of single operations, and measures when other nodes know
 * of a stream.
 */
async function operations(): Promise<boolean> {
  const name = crypto.randomUUID();
  const one = new BroadcastChannelSessions(name);
  const two = new BroadcastChannelSessions(name);
  await Promise.all([one.ready, two.ready]);
  const times: number[] = [];
  for (let at = 0; at < 200; at++) {
    const start = performance.now();
    await one.streams.create(`${at}`, newController());
    if (!await two.streams.has(`${at}`)) {
      throw new Error("The other nodes do not know the session.");
    }
    times.push(performance.now() - start);
  }
  const { median } = spread(times);
  const isMet = median < MAX_CREATE_MS;
  console.log(
    `${isMet ? "met   " : "MISSED"}  from create until other nodes know: ${
      median.toFixed(2)
    } ms, under ${MAX_CREATE_MS}`,
  );
  const published = async (act: () => unknown) => {
    const before = two.stats().cluster.published;
    await act();
    await delay(50);
    return two.stats().cluster.published - before;
  };
  const has = await published(() => two.streams.has("7"));
  const sent = await published(() =>
    two.streams.send(Array.from({ length: 100 }, (_, id) => `${id}`), frame)
  );
  const all = await published(() => two.streams.send(undefined, frame));
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
