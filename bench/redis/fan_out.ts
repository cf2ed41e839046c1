/**
 * A broadcast to 2 nodes with 1,000 sessions each through a real redis-server,
 * compared with npm `@tmcp/session-manager-redis`, and the commands that each
 * needs: `deno task bench:redis`. With `--assert`, it exits with 1 if a goal is
 * missed.
 *
 * The peer publishes on its subscribed connection, which fails in a process
 * that holds a stream. So a third manager without streams sends for it.
 */
import { RedisStreamSessionManager } from "@tmcp/session-manager-redis";
import { RedisSessions } from "../../src/redis/mod.ts";
import { connect } from "../../tests/redis/support/clients.ts";
import {
  hasRedis,
  RedisServer,
} from "../../tests/redis/support/redis_server.ts";
import { makeFrame } from "../fan_out.ts";
import { ratio, spread } from "../paired_rounds.ts";
import { exit, flags, runtime } from "../runtime.ts";
import { OpenStreams } from "../streams.ts";

const NODES = 2;
const SESSIONS = 1_000;
const ROUNDS = 7;
const FRAMES = 20;
const MIN_RATIO = 10;
const MAX_BYTES = 300;
const frame = makeFrame(1_000);

/** Streams on two nodes, and a way to send to all of them. */
interface Contender {
  readonly streams: readonly OpenStreams[];
  /** The size of a frame as it arrives. */
  readonly bytes: number;
  send(sessions: string[] | undefined): unknown;
  close(): Promise<void>;
}

if (!hasRedis) {
  console.log("skipped: redis-server is not on the PATH");
  exit(0);
}
await using server = await RedisServer.start();
console.log(
  `${runtime.name} ${runtime.version}: 1 KB to ${NODES} nodes with ${SESSIONS} ` +
    "sessions each",
);
const goals = [await broadcasts(), await commands(), await memory()];
exit(goals.every(Boolean) || !flags.includes("--assert") ? 0 : 1);

/** Frames delivered to readers per second, compared with the peer. */
async function broadcasts(): Promise<boolean> {
  const rates = {
    ours: [] as number[],
    replayed: [] as number[],
    peer: [] as number[],
  };
  const makers = {
    ours: () => ours(false),
    replayed: () => ours(true),
    peer,
  };
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, make] of Object.entries(makers)) {
      const rate = await rateOf(await make());
      if (round >= 0) rates[name as keyof typeof rates].push(rate);
    }
  }
  let isMet = true;
  for (const name of ["ours", "replayed"] as const) {
    const { low, median, high } = ratio(rates[name], rates.peer);
    isMet &&= median >= MIN_RATIO;
    say(
      median >= MIN_RATIO,
      `${name === "ours" ? "" : "with replay: "}${
        Math.round(spread(rates[name]).median)
      } deliveries/s, ${median.toFixed(1)} times the peer's (${
        low.toFixed(1)
      }-${high.toFixed(1)}), at least ${MIN_RATIO}`,
    );
  }
  return isMet;
}

async function rateOf(contender: Contender): Promise<number> {
  const start = performance.now();
  for (let count = 0; count < FRAMES; count++) {
    await contender.send(undefined);
    // One per turn of the event loop, so that nothing is coalesced.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const all = Array.from({ length: SESSIONS }, (_, at) => at);
  for (const streams of contender.streams) {
    await streams.drain(all, FRAMES * contender.bytes);
  }
  const rate = FRAMES * NODES * SESSIONS / (performance.now() - start) * 1_000;
  await contender.close();
  return rate;
}

/** The commands of one `send`. */
async function commands(): Promise<boolean> {
  const ids = Array.from({ length: SESSIONS }, (_, at) => `1 ${at}`);
  const cases: [
    what: string,
    hasReplay: boolean,
    sessions: string[] | undefined,
    most: number,
  ][] = [
    ["a broadcast", false, undefined, 1],
    [
      `${SESSIONS} recipients on another node`,
      false,
      ids.map(idOf),
      2,
    ],
    ["a broadcast, with replay", true, undefined, 2],
  ];
  let isMet = true;
  for (const [what, hasReplay, sessions, most] of cases) {
    const contender = await ours(hasReplay);
    await server.command("CONFIG", "RESETSTAT");
    await contender.send(sessions);
    for (const at of Array.from({ length: SESSIONS }, (_, at) => at)) {
      await contender.streams[1]!.drain([at], contender.bytes);
    }
    const counts = await server.commandCounts();
    const calls = (name: string) => counts.get(name) ?? 0;
    const sent = calls("publish") + calls("evalsha");
    say(
      sent <= most,
      `${what}: ${calls("publish")} PUBLISH, ${calls("evalsha")} EVALSHA, ` +
        `at most ${most} of both`,
    );
    isMet &&= sent <= most;
    await contender.close();
  }
  const incumbent = await peer();
  await server.command("CONFIG", "RESETSTAT");
  await incumbent.send(undefined);
  const counts = await server.commandCounts();
  console.log(
    `        the peer's broadcast: ${counts.get("publish")} PUBLISH, ${
      counts.get("scan")
    } SCAN`,
  );
  await incumbent.close();
  return isMet;
}

/** The memory that a session takes in Redis. */
async function memory(): Promise<boolean> {
  await server.command("FLUSHALL");
  const before = await server.info("memory", "used_memory");
  const clients = await connect(server);
  const sessions = new RedisSessions(clients);
  await sessions.ready;
  const count = 20_000;
  const streams = new OpenStreams(count);
  for (const [at, controller] of streams.controllers.entries()) {
    const id = crypto.randomUUID();
    const created = sessions.streams.create(id, controller);
    if (at % 500 === 499) await created;
  }
  await sessions.streams.has("all are there");
  const bytes = (await server.info("memory", "used_memory") - before) / count;
  say(
    bytes <= MAX_BYTES,
    `${bytes.toFixed(0)} bytes per session, at most ${MAX_BYTES}`,
  );
  await sessions.close();
  await clients[Symbol.asyncDispose]();
  return bytes <= MAX_BYTES;
}

async function ours(hasReplay: boolean): Promise<Contender> {
  const prefix = crypto.randomUUID();
  const clients = await connect(server);
  const other = await connect(server);
  const options = {
    prefix,
    streams: { replay: hasReplay ? {} : false as const },
  };
  const nodes = [
    new RedisSessions(clients, options),
    new RedisSessions(other, options),
  ];
  await Promise.all(nodes.map((node) => node.ready));
  const streams = nodes.map(() => new OpenStreams(SESSIONS));
  await Promise.all(
    nodes.flatMap((node, at) =>
      streams[at]!.controllers.map((controller, each) =>
        node.streams.create(idOf(`${at} ${each}`), controller)
      )
    ),
  );
  return {
    streams,
    // With replay, each event has an ID line.
    bytes: frame.length + (hasReplay ? 38 : 0),
    send: (sessions) => nodes[0]!.streams.send(sessions, frame),
    close: async () => {
      for (const node of nodes) await node.close();
      await clients[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  };
}

async function peer(): Promise<Contender> {
  const own = crypto.randomUUID();
  const nodes = Array.from(
    { length: NODES + 1 },
    () => new RedisStreamSessionManager(server.url),
  );
  const streams = Array.from(
    { length: NODES },
    () => new OpenStreams(SESSIONS),
  );
  for (const [at, { controllers }] of streams.entries()) {
    for (const [each, controller] of controllers.entries()) {
      await nodes[at]!.create(`${own} ${at} ${each}`, controller);
    }
    await nodes[at]!.has("all are there");
  }
  return {
    streams,
    bytes: frame.length,
    send: (sessions) => nodes[NODES]!.send(sessions, frame),
    // It cannot delete the sessions where it holds their streams, so they stay
    // unused.
    close: async () => void await server.command("FLUSHALL"),
  };
}

function idOf(name: string): string {
  return `session-${name.replace(" ", "-")}`;
}

function say(isMet: boolean, what: string): void {
  console.log(`${isMet ? "met   " : "MISSED"}  ${what}`);
}
