/**
 * Three nodes over Redis, NATS and PostgreSQL, all on this machine: how long a
 * frame takes to the stream of another node, and how many a node can send until
 * all have them. `deno task bench:brokers` runs it. Brokers that are not
 * installed are left out.
 */
import { NatsSessions } from "../src/nats/mod.ts";
import { PostgresSessions } from "../src/postgres/mod.ts";
import { RedisSessions } from "../src/redis/mod.ts";
import type { ClusteredSessions } from "../src/cluster/mod.ts";
import { setTimeout as delay } from "node:timers/promises";
import {
  connectTo,
  hasNats,
  NatsServer,
} from "../tests/nats/support/nats_server.ts";
import {
  hasPostgres,
  poolOf,
  PostgresServer,
} from "../tests/postgres/support/postgres_server.ts";
import { makeClients } from "../tests/redis/support/clients.ts";
import { hasRedis, RedisServer } from "../tests/redis/support/redis_server.ts";
import { makeFrame } from "./fan_out.ts";
import { spread } from "./paired_rounds.ts";
import { exit, runtime } from "./runtime.ts";

const NODES = 3;
const SAMPLES = 200;
const FRAMES = 5_000;
const ROUNDS = 5;
const frame = makeFrame(1_000);

/** A broker that was started, and how to create a node on it. */
interface Broker {
  readonly create: () => Promise<ClusteredSessions>;
  readonly stop: () => Promise<unknown>;
}

const BROKERS: Record<string, (() => Promise<Broker>) | false> = {
  "Redis": hasRedis && (async () => {
    const server = await RedisServer.start();
    return {
      create: async () => {
        const clients = makeClients({ port: server.port });
        await clients.connected;
        return new RedisSessions(clients, { prefix: "bench" });
      },
      stop: () => server.kill(),
    };
  }),
  "NATS": hasNats && (async () => {
    const server = await NatsServer.start();
    return {
      create: async () =>
        new NatsSessions("bench", await connectTo(server.port)),
      stop: () => server.kill(),
    };
  }),
  "PostgreSQL": hasPostgres && (async () => {
    const server = await PostgresServer.start();
    return {
      create: () =>
        Promise.resolve(new PostgresSessions("bench", poolOf(server.port))),
      stop: () => server.remove(),
    };
  }),
};

console.log(
  `${runtime.name} ${runtime.version}: ${NODES} nodes, frames of 1 KB to a ` +
    "stream of each",
);
for (const [name, start] of Object.entries(BROKERS)) {
  if (start === false) {
    console.log(`${name}: not installed`);
    continue;
  }
  const broker = await start();
  try {
    console.log(`${name}: ${await measure(broker)}`);
  } finally {
    await broker.stop();
  }
}
exit(0);

async function measure({ create }: Broker): Promise<string> {
  const nodes: ClusteredSessions[] = [];
  while (nodes.length < NODES) nodes.push(await create());
  await Promise.all(nodes.map(({ ready }) => ready));
  while (nodes.some((node) => node.nodes().length < NODES)) await delay(10);
  const streams = await Promise.all(
    nodes.map((node, index) => openStream(node, `s${index}`)),
  );
  const [sender] = nodes as [ClusteredSessions];
  const [, other] = streams as [CountedStream, CountedStream];
  const latencies: number[] = [];
  for (let sample = -20; sample < SAMPLES; sample++) {
    const target = other.bytes + frame.length;
    const start = performance.now();
    void sender.streams.send(["s1"], frame);
    await other.until(target);
    if (sample >= 0) latencies.push(performance.now() - start);
    await delay(5);
  }
  const rates: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const targets = streams.map(({ bytes }) => bytes + FRAMES * frame.length);
    const start = performance.now();
    for (let sent = 0; sent < FRAMES; sent++) {
      void sender.streams.send(undefined, frame);
      if (sent % 10 === 9) await new Promise((done) => setImmediate(done));
    }
    await Promise.all(
      streams.map((stream, index) => stream.until(targets[index]!)),
    );
    if (round >= 0) rates.push(FRAMES / (performance.now() - start) * 1_000);
  }
  const { cluster } = sender.stats();
  await Promise.all(nodes.map((node) => node.close()));
  const sorted = latencies.sort((one, two) => one - two);
  return `${spread(latencies).median.toFixed(2)} ms to another node (99 % ` +
    `within ${sorted[Math.floor(SAMPLES * 0.99)]!.toFixed(2)} ms), ` +
    `${Math.round(spread(rates).median)} broadcasts/s, ` +
    `${cluster.resent} batches sent again, ${cluster.lost} lost`;
}

/** A stream that counts what its reader has received. */
interface CountedStream {
  readonly bytes: number;
  /** Resolves when so many bytes have arrived in all. */
  until(bytes: number): Promise<void>;
}

async function openStream(
  node: ClusteredSessions,
  id: string,
): Promise<CountedStream> {
  let bytes = 0;
  let wake = () => {};
  let controller: ReadableStreamDefaultController | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start: (started) => void (controller = started),
  });
  await node.streams.create(id, controller!);
  void (async () => {
    for await (const chunk of stream) {
      bytes += chunk.length;
      wake();
    }
  })();
  return {
    get bytes() {
      return bytes;
    },
    until: async (target) => {
      while (bytes < target) {
        await new Promise<void>((resolve) => wake = resolve);
      }
    },
  };
}
