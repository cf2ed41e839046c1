/**
 * Sending from one node to the streams of another over Redis, for `deno bench`,
 * until everything is read, and operations on metadata. The lower bound is a
 * bare `PUBLISH` of the frame, and a bare loop of `enqueue` where it arrives.
 * It starts a `redis-server`; without one on the PATH nothing is measured.
 */
import { hasRedis, RedisServer } from "../tests/redis/support/redis_server.ts";
import { makeFrame } from "./fan_out.ts";
import { OPERATIONS } from "./info_operations.ts";
import { bare, ours, peer, type RedisContender } from "./redis/contenders.ts";

const OURS = "RedisSessions";
const PEER = "@tmcp/session-manager-redis";
const frame = makeFrame(1_000);

/** The open contender; one at a time, because idle ones have timers. */
let opened: { for: string; contender: Promise<RedisContender> } | undefined;

function open(
  key: string,
  make: () => Promise<RedisContender>,
): Promise<RedisContender> {
  if (opened?.for === key) return opened.contender;
  const before = opened?.contender;
  const contender = (async () => {
    await (await before)?.close();
    return await make();
  })();
  opened = { for: key, contender };
  return contender;
}

function bench(url: string): void {
  const contenders: Record<
    string,
    (streams: number) => Promise<RedisContender>
  > = {
    [OURS]: (streams: number) => ours(url, streams, {}),
    "… with replay": (streams: number) => ours(url, streams, { replay: {} }),
    [PEER]: (streams: number) => peer(url, streams),
    "bare PUBLISH": (streams: number) => bare(url, streams),
  };
  for (const streams of [100, 1_000, 10_000]) {
    for (const burst of [1, 10]) {
      for (const [name, make] of Object.entries(contenders)) {
        // The peer's sessions expire after ten seconds, while many subscribe.
        if (make === contenders[PEER] && streams > 1_000) continue;
        sendTo(streams, burst, name, make);
      }
    }
  }
  for (const [group, operation] of Object.entries(OPERATIONS)) {
    for (const name of [OURS, PEER]) {
      // The peer 0.3.0 stores log levels as JSON, and then rejects them.
      if (name === PEER && group === "get the log level") continue;
      const make = contenders[name]!;
      let turn = 0;
      Deno.bench({
        name,
        group: `${group}, 10 times`,
        baseline: name === OURS,
        n: 50,
        warmup: 5,
        async fn(b) {
          const { info } = await open(`${name} info`, () => make(0));
          // A value must be set before it can be read.
          for (let left = 0; left < 10; left++) await info!.fill(turn + left);
          b.start();
          for (let left = 10; left > 0; left--) {
            await operation(info!.manager, turn++);
          }
          b.end();
        },
      });
    }
  }
}

function sendTo(
  streams: number,
  burst: number,
  name: string,
  make: (streams: number) => Promise<RedisContender>,
): void {
  const all = streams.toLocaleString("en");
  Deno.bench({
    name,
    group: `${burst === 1 ? "1 KB" : "ten times 1 KB"} to ${all} streams`,
    baseline: name === OURS,
    n: 10,
    warmup: 3,
    async fn(b) {
      const contender = await open(
        `${name} ${streams} ${burst}`,
        () => make(streams),
      );
      contender.streams.wait(contender.all);
      b.start();
      for (let left = burst; left > 0; left--) contender.send(frame);
      await contender.drain(burst);
      b.end();
    },
  });
}

if (hasRedis) bench((await RedisServer.start()).url);
else console.log("redis_bench.ts: skipped, redis-server is not on the PATH");
