/**
 * The cost of single operations for a Redis server: its CPU time, and the bytes
 * that it reads and writes. The capacity section of `docs/redis.md` uses these
 * figures: `deno task bench:redis-costs`.
 */
import { RedisSessions } from "../../src/redis/mod.ts";
import { type Clients, connect } from "../../tests/redis/support/clients.ts";
import {
  hasRedis,
  RedisServer,
} from "../../tests/redis/support/redis_server.ts";
import { makeFrame } from "../fan_out.ts";
import { exit, runtime } from "../runtime.ts";
import { OpenStreams } from "../streams.ts";

const COUNT = 5_000;
const frame = makeFrame(1_000);

if (!hasRedis) {
  console.log("skipped: redis-server is not on the PATH");
  exit(0);
}
await using server = await RedisServer.start();
const version = /redis_version:(\S+)/.exec(
  await server.command<string>("INFO", "server"),
)?.[1];
console.log(`${runtime.name} ${runtime.version}, Redis ${version}`);
console.log(
  "| operation | server, µs | bytes in | bytes out |\n| --- | --- | --- | --- |",
);
for (const replay of [false, {}] as const) await operations(replay);
exit(0);

async function operations(
  replay: false | Record<string, never>,
): Promise<void> {
  const prefix = crypto.randomUUID();
  const clients: Clients[] = [await connect(server), await connect(server)];
  const [here, there] = clients.map((each) =>
    new RedisSessions(each, {
      prefix,
      // Long enough that heartbeats do not count.
      cluster: { heartbeatMs: 60_000 },
      streams: { replay, keepAliveMs: false, backlog: false },
    })
  ) as [RedisSessions, RedisSessions];
  await Promise.all([here.ready, there.ready]);
  const ids = Array.from({ length: COUNT }, () => crypto.randomUUID());
  const how = replay ? ", with replay" : "";
  const streams = new OpenStreams(COUNT);
  await measure(`\`create\`${how}`, async (at) => {
    await there.streams.create(ids[at]!, streams.controllers[at]!);
  });
  const one = [ids[0]!];
  await measure(`\`send\` to one session${how}`, async (at) => {
    await here.streams.send(one, frame);
    if (at % 100 === 99) await arrived(there, at + 1);
  });
  const hundred = ids.slice(100, 200);
  await measure(`\`send\` to 100 sessions of a node${how}`, async (at) => {
    await here.streams.send(hundred, frame);
    if (at % 100 === 99) await new Promise((done) => setTimeout(done, 5));
  }, COUNT / 10);
  await measure(`a broadcast to two nodes${how}`, async (at) => {
    await here.streams.send(undefined, frame);
    // One per turn of the event loop.
    await new Promise((done) => setTimeout(done, at % 100 === 99 ? 5 : 0));
  }, COUNT / 10);
  if (!replay) {
    await measure(
      "`setClientInfo`",
      (at) =>
        here.info.setClientInfo(ids[at]!, { name: "client", version: "1.0.0" }),
    );
    await measure(
      "`getClientInfo`",
      (at) => there.info.getClientInfo(ids[at]!),
    );
    await measure(
      "`addSubscription`",
      (at) => here.info.addSubscription(ids[at]!, `file:///${at % 50}`),
    );
    await measure(
      "`getSubscriptions`, of 100 sessions",
      (at) => here.info.getSubscriptions(`file:///${at % 50}`),
    );
    await measure("`has`, on another node", (at) => here.streams.has(ids[at]!));
    await measure("`delete` of streams and metadata", async (at) => {
      await there.streams.delete(ids[at]!);
      await there.info.delete(ids[at]!);
    });
  }
  await Promise.all([here.close(), there.close()]);
  for (const each of clients) await each[Symbol.asyncDispose]();
}

async function arrived(node: RedisSessions, count: number): Promise<void> {
  while (node.streams.stats().delivered < count) {
    await new Promise((done) => setTimeout(done, 1));
  }
}

async function measure(
  what: string,
  act: (at: number) => unknown,
  count = COUNT,
): Promise<void> {
  const before = await used();
  let last: unknown;
  for (let at = 0; at < count; at++) {
    last = act(at);
    // Up to 50 requests in flight, as with many clients.
    if (at % 50 === 49) await last;
  }
  await last;
  // With replay, broadcasts are appended one command after the other.
  await new Promise((done) => setTimeout(done, 1_500));
  const after = await used();
  const each = (key: keyof typeof after) => (after[key] - before[key]) / count;
  console.log(
    `| ${what} | ${each("us").toFixed(1)} | ${each("input").toFixed(0)} | ${
      each("output").toFixed(0)
    } |`,
  );
}

async function used(): Promise<{ us: number; input: number; output: number }> {
  const text = await server.command<string>("INFO", "everything");
  const number = (field: string) =>
    Number(new RegExp(`^${field}:([\\d.]+)`, "m").exec(text)?.[1]);
  return {
    us: 1e6 * (number("used_cpu_sys_main_thread") +
      number("used_cpu_user_main_thread")),
    input: number("total_net_input_bytes"),
    output: number("total_net_output_bytes"),
  };
}
