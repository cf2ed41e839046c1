import {
  RedisInfoSessionManager as PeerInfo,
  RedisStreamSessionManager as PeerStreams,
} from "@tmcp/session-manager-redis";
import { RedisSessions } from "@crossmcp/session-manager/redis";
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "redis";
import type { StreamOptions } from "../../mod.ts";
import { type Info, store } from "../info_operations.ts";
import { OpenStreams } from "../streams.ts";

/** One node that sends, and one that has the streams. */
export interface RedisContender {
  readonly streams: OpenStreams;
  /** The numbers of all of them. */
  readonly all: readonly number[];
  /** Sends a text from the first node to all streams of the second. */
  readonly send: (text: string) => unknown;
  /** Takes the last texts from all streams. */
  readonly drain: (texts: number) => Promise<void>;
  readonly info?: {
    readonly manager: Info;
    /** Stores what a session's client said. */
    readonly fill: (turn: number) => Promise<void>;
  };
  readonly close: () => Promise<void>;
}

/** How long the peer needs at most to subscribe to everything, which none can await. */
const SUBSCRIBE_MS = 1_000;

/** Ours, with clients of node-redis. */
export async function ours(
  url: string,
  count: number,
  options: StreamOptions,
): Promise<RedisContender> {
  const streams = new OpenStreams(count);
  const nodes = await Promise.all([1, 2].map(() => node(url, options)));
  const [first, second] = nodes.map(({ sessions }) => sessions);
  await Promise.all(
    streams.controllers.map((controller) =>
      second!.streams.create(crypto.randomUUID(), controller)
    ),
  );
  return {
    ...base(streams),
    send: (text) => first!.streams.send(undefined, text),
    info: infoOf(first!.info),
    close: async () => {
      for (const { sessions, close } of nodes) {
        await sessions.close();
        close();
      }
    },
  };
}

/** The peer's, which makes its clients itself, and does not close them. */
export async function peer(
  url: string,
  count: number,
): Promise<RedisContender> {
  const streams = new OpenStreams(count);
  const [first, second] = [new PeerStreams(url), new PeerStreams(url)];
  for (const controller of streams.controllers) {
    await second.create(crypto.randomUUID(), controller);
  }
  await delay(SUBSCRIBE_MS);
  return {
    ...base(streams),
    send: (text) => first.send(undefined, text),
    info: infoOf(new PeerInfo(url) as Info),
    close: () => Promise.resolve(),
  };
}

/** What nobody can do without. */
export async function bare(
  url: string,
  count: number,
): Promise<RedisContender> {
  const streams = new OpenStreams(count);
  const { publisher, subscriber, close } = await clients(url);
  const channel = crypto.randomUUID();
  const encoder = new TextEncoder();
  await subscriber.subscribe(channel, (text) => {
    const bytes = encoder.encode(text);
    for (const controller of streams.controllers) controller.enqueue(bytes);
  });
  return {
    ...base(streams),
    send: (text) => publisher.publish(channel, text),
    close: () => Promise.resolve(close()),
  };
}

function base(
  streams: OpenStreams,
): Pick<RedisContender, "streams" | "all" | "drain"> {
  const all = [...streams.controllers.keys()];
  return {
    streams,
    all,
    drain: (texts) => streams.drainEvents(all, texts),
  };
}

async function node(url: string, options: StreamOptions) {
  const { publisher, subscriber, close } = await clients(url);
  const sessions = new RedisSessions({ publisher, subscriber }, {
    streams: options,
    onError: (error) => {
      throw error;
    },
  });
  await sessions.ready;
  return { sessions, close };
}

async function clients(url: string) {
  const publisher = createClient({ url });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const close = () => {
    publisher.destroy();
    subscriber.destroy();
  };
  return { publisher, subscriber, close };
}

function infoOf(manager: Info): NonNullable<RedisContender["info"]> {
  return { manager, fill: (turn) => store(manager, turn) };
}
