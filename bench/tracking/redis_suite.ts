import {
  hasRedis,
  RedisServer,
} from "../../tests/redis/support/redis_server.ts";
import { makeFrame } from "../fan_out.ts";
import { type Entrant, pairedRounds } from "../paired_rounds.ts";
import { bare, ours, type RedisContender } from "../redis/contenders.ts";
import { type Figure, type Suite, times } from "./figures.ts";

const STREAMS = 1_000;
const FRAME = makeFrame(1_000);

function entrant(
  { streams, all, send, drain }: RedisContender,
  burst: number,
  runs: number,
): Entrant {
  return {
    runs,
    prepare: () => streams.wait(all),
    run: async () => {
      for (let left = burst; left > 0; left--) void send(FRAME);
      await drain(burst);
    },
    finish: () => Promise.resolve(),
  };
}

/**
 * Sends from one node to the streams of another through a redis-server that it
 * starts; without `redis-server` there are no figures. The peer is left out
 * because its sessions expire while the others are measured; `deno task
 * bench:redis` makes new ones each time.
 */
export const redis: Suite = {
  name: "Redis",
  isShort: false,
  run: async (rounds) => {
    const figures: Figure[] = [];
    if (!hasRedis) return { figures };
    const server = await RedisServer.start();
    const { url } = server;
    const contenders = {
      ours: await ours(url, STREAMS, {}),
      replay: await ours(url, STREAMS, { replay: {} }),
      bare: await bare(url, STREAMS),
    };
    for (const burst of [1, 10]) {
      const took = await pairedRounds({
        ours: entrant(contenders.ours, burst, 10),
        replay: entrant(contenders.replay, burst, 10),
        bare: entrant(contenders.bare, burst, 10),
      }, rounds);
      const id = `over Redis, 1,000 sessions, ${
        burst === 1 ? "" : "ten times "
      }1 KB:`;
      figures.push(
        times(`${id} ours / bare PUBLISH`, took.ours, took.bare),
        times(`${id} with replay / bare PUBLISH`, took.replay, took.bare),
      );
    }
    for (const { close } of Object.values(contenders)) await close();
    await server[Symbol.asyncDispose]();
    return { figures };
  },
};
