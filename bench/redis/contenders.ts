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

/** A node that sends, and a node with the streams. */
export interface RedisContender {
  readonly streams: OpenStreams;
  /** The indexes of all streams. */
  readonly all: readonly number[];
  /** Sends a frame from the first node to all streams of the second. */
  readonly send: (frame: string) => unknown;
  /** Reads the latest frames from all streams. */
  readonly drain: (frames: number) => Promise<void>;
  readonly info?: {
    readonly manager: Info;
    /** Stores the client info of a session. */
    readonly fill: (turn: number) => Promise<void>;
  };
  readonly close: () => Promise<void>;
}

/**
 * The peer cannot be awaited until it has subscribed to everything; it takes
 * less than this many milliseconds.
 */
const SUBSCRIBE_MS = 1_000;

/** Our manager, with clients of node-redis. */
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
    send: (frame) => first!.streams.send(undefined, frame),
    info: infoOf(first!.info),
    close: async () => {
      for (const { sessions, close } of nodes) {
        await sessions.close();
        close();
      }
    },
  };
}

/** The peer, which creates its own clients and does not close them. */
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
    send: (frame) => first.send(undefined, frame),
    info: infoOf(new PeerInfo(url) as Info),
    close: () => Promise.resolve(),
  };
}

/**
 * The lower bound: a bare `PUBLISH`, and a bare loop of `enqueue` where it
 * arrives.
 */
export async function bare(
  url: string,
  count: number,
): Promise<RedisContender> {
  const streams = new OpenStreams(count);
  const { publisher, subscriber, close } = await clients(url);
  const channel = crypto.randomUUID();
  const encoder = new TextEncoder();
  await subscriber.subscribe(channel, (frame) => {
    const bytes = encoder.encode(frame);
    for (const controller of streams.controllers) controller.enqueue(bytes);
  });
  return {
    ...base(streams),
    send: (frame) => publisher.publish(channel, frame),
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
    drain: (frames) => streams.drainEvents(all, frames),
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
