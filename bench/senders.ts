import { InMemoryStreamSessionManager as Peer } from "@tmcp/session-manager";
import { createChannel, Session } from "better-sse";
import { setImmediate } from "node:timers/promises";
import {
  InMemoryStreamSessionManager as Ours,
  type InMemoryStreamSessionManagerOptions,
} from "../mod.ts";
import { OpenStreams, Streams } from "./streams.ts";

/** The contenders. */
export type Contender =
  /** Ours with the defaults: limits, keep-alive and coalescing. */
  | "ours"
  /** Ours with all of that off. */
  | "unlimited"
  /** Ours with the defaults and replay. */
  | "replay"
  /** `@tmcp/session-manager`. */
  | "peer"
  /** The lower bound: a bare loop of `enqueue`. */
  | "bareLoop"
  /** Another library, which makes its own streams. */
  | "better-sse";

/** Writes to the streams of one contender. */
export interface Sender {
  readonly streams: Streams;
  /** Writes a frame to the given streams; defaults to all. */
  readonly send: (frame: string, targets?: Targets) => void;
  /** The bytes that the last frames take in a stream. */
  readonly length: (frame: string, frames: number) => number;
}

/** Streams by index, and in the form that a contender takes. */
export interface Targets {
  readonly at: readonly number[];
  readonly ids: string[];
}

/** One hour: most streams here are seldom read, which is fine. */
const LONG_MS = 3_600_000;
const OPTIONS = {
  ours: { backlog: { maxAgeMs: LONG_MS }, keepAliveMs: LONG_MS },
  unlimited: { backlog: false, keepAliveMs: false, coalesce: false },
  replay: {
    backlog: { maxAgeMs: LONG_MS },
    keepAliveMs: LONG_MS,
    replay: {},
  },
} satisfies Record<string, InMemoryStreamSessionManagerOptions>;

/** The fields of the events that are sent. */
const [HEAD, TAIL] = ['event: message\ndata: {"text":"', '"}\n\n'];
/** better-sse adds an ID to each event. */
const ID_BYTES = `id:${"0".repeat(36)}\n`.length;

/** The sessions of one server, shared by all contenders. */
export class Senders {
  readonly ids: readonly string[];
  /** All contenders share the streams: their place in memory makes a difference. */
  readonly #shared: OpenStreams;
  readonly #senders: Map<Contender, Sender> = new Map();
  readonly #closers: (() => unknown)[] = [];

  /** @param sessions The number of sessions. */
  constructor(sessions: number) {
    this.#shared = new OpenStreams(sessions);
    this.ids = this.#shared.controllers.map(() => crypto.randomUUID());
  }

  /**
   * Returns the sender of a contender, which attaches the sessions on first
   * use.
   */
  async get(contender: Contender): Promise<Sender> {
    let sender = this.#senders.get(contender);
    if (sender === undefined) {
      sender = contender === "better-sse"
        ? await betterSse(this.ids)
        : contender === "bareLoop"
        ? this.#bareLoop()
        : contender === "peer"
        ? this.#peer()
        : this.#ours(OPTIONS[contender]);
      this.#senders.set(contender, sender);
    }
    return sender;
  }

  /** Ends the streams, so that their memory can be freed. */
  async close(): Promise<void> {
    for (const close of this.#closers) await close();
    for (const controller of this.#shared.controllers) {
      try {
        controller.close();
      } catch {
        // One of the managers has closed it.
      }
    }
  }

  #ours(options: InMemoryStreamSessionManagerOptions): Sender {
    const manager = new Ours({
      ...options,
      onError: stop,
      onEvict: (id, reason) => stop(new Error(`${id} was evicted: ${reason}`)),
    });
    this.#attachTo(manager);
    this.#closers.push(() => manager.close());
    return {
      streams: this.#shared,
      send: (frame, targets) => manager.send(targets?.ids, frame),
      length: (frame, frames) => {
        let total = 0;
        const [epoch, last] = manager.latestEventId?.split("-") ?? [];
        for (let offset = Number(last), left = frames; left > 0; left--) {
          const id = epoch === undefined ? "" : `id: ${epoch}-${offset--}\n`;
          total += frame.length + id.length;
        }
        return total;
      },
    };
  }

  #peer(): Sender {
    const manager = new Peer();
    this.#attachTo(manager);
    return {
      streams: this.#shared,
      send: (frame, targets) => manager.send(targets?.ids, frame),
      length: totalLength,
    };
  }

  #bareLoop(): Sender {
    const { controllers } = this.#shared;
    const encoder = new TextEncoder();
    return {
      streams: this.#shared,
      send: (frame, targets) => {
        const bytes = encoder.encode(frame);
        if (targets === undefined) {
          for (const controller of controllers) controller.enqueue(bytes);
        } else for (const at of targets.at) controllers[at]!.enqueue(bytes);
      },
      length: totalLength,
    };
  }

  #attachTo(manager: Ours | Peer): void {
    for (const [at, controller] of this.#shared.controllers.entries()) {
      void manager.create(this.ids[at]!, controller);
    }
  }
}

/** better-sse writes to its own responses. */
async function betterSse(ids: readonly string[]): Promise<Sender> {
  const channel = createChannel();
  // Keep-alives and retry fields are not compared.
  const options = { keepAlive: null, retry: null };
  const byId = new Map(
    ids.map((id) => {
      const request = new Request("http://127.0.0.1/");
      return [id, new Session(request, undefined, options)];
    }),
  );
  const sessions = [...byId.values()];
  const streams = new Streams(
    sessions.map((session) => session.getResponse().body!),
  );
  // They connect after a macrotask.
  while (sessions.some(({ isConnected }) => !isConnected)) await setImmediate();
  for (const session of sessions) channel.register(session);
  return {
    streams,
    // It formats the frame itself, of the same length as the others'.
    send: (frame, targets) => {
      // The property is the one of HEAD.
      const data = {
        text: frame.slice(HEAD.length, -TAIL.length - ID_BYTES + SPACES),
      };
      if (targets === undefined) return void channel.broadcast(data);
      const wanted = new Set(targets.ids.map((id) => byId.get(id)));
      channel.broadcast(data, "message", {
        filter: (session) => wanted.has(session as Session),
      });
    },
    length: totalLength,
  };
}

/** It writes no space after the colon of a field. */
const SPACES = 2;

function totalLength(frame: string, frames: number): number {
  return frame.length * frames;
}

/** Makes an SSE frame of ASCII characters, one byte each. */
export function makeFrame(bytes: number): string {
  return HEAD + "x".repeat(bytes - HEAD.length - TAIL.length) + TAIL;
}

function stop(error: Error): never {
  throw error;
}
