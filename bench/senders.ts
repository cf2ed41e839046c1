import { InMemoryStreamSessionManager as Peer } from "@tmcp/session-manager";
import { createChannel, Session } from "better-sse";
import { setImmediate } from "node:timers/promises";
import {
  InMemoryStreamSessionManager as Ours,
  type InMemoryStreamSessionManagerOptions,
} from "../mod.ts";
import { OpenStreams, Streams } from "./streams.ts";

/** Who is compared. */
export type Contender =
  /** Ours as it comes, with limits, keep-alive and coalescing. */
  | "ours"
  /** Ours with all of that off. */
  | "unlimited"
  /** Ours as it comes, and with replay. */
  | "replay"
  /** `@tmcp/session-manager`. */
  | "peer"
  /** The bare loop of `enqueue` that no manager can do without. */
  | "floor"
  /** Another library, with streams of its own making. */
  | "better-sse";

/** What a contender writes to a number of streams. */
export interface Sender {
  readonly streams: Streams;
  /** Writes a text, to the streams of these numbers or, without, to all. */
  readonly send: (text: string, targets?: Targets) => void;
  /** How long the last texts came out of a stream, together. */
  readonly length: (text: string, texts: number) => number;
}

/** Streams by their numbers, and in the form that a contender takes. */
export interface Targets {
  readonly at: readonly number[];
  readonly ids: string[];
}

/** An hour: most streams here are read only now and then, which is all right. */
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

/** What is sent, in the fields of an event. */
const [HEAD, TAIL] = ['event: message\ndata: {"text":"', '"}\n\n'];
/** Better-sse adds an id to each event. */
const ID_BYTES = `id:${"0".repeat(36)}\n`.length;

/** The sessions of one server, at the disposal of all contenders alike. */
export class Senders {
  readonly ids: readonly string[];
  /** The same streams for all: where they lie in memory makes a difference. */
  readonly #shared: OpenStreams;
  readonly #senders: Map<Contender, Sender> = new Map();
  readonly #closers: (() => unknown)[] = [];

  /** @param sessions How many. */
  constructor(sessions: number) {
    this.#shared = new OpenStreams(sessions);
    this.ids = this.#shared.controllers.map(() => crypto.randomUUID());
  }

  /** The sender of a contender, who gets the sessions at the first time. */
  async get(contender: Contender): Promise<Sender> {
    let sender = this.#senders.get(contender);
    if (sender === undefined) {
      sender = contender === "better-sse"
        ? await betterSse(this.ids)
        : contender === "floor"
        ? this.#floor()
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
        // One of the managers has done so.
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
      send: (text, targets) => manager.send(targets?.ids, text),
      length: (text, texts) => {
        let total = 0;
        const [epoch, last] = manager.latestEventId?.split("-") ?? [];
        for (let offset = Number(last), left = texts; left > 0; left--) {
          const id = epoch === undefined ? "" : `id: ${epoch}-${offset--}\n`;
          total += text.length + id.length;
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
      send: (text, targets) => manager.send(targets?.ids, text),
      length: asItIs,
    };
  }

  #floor(): Sender {
    const { controllers } = this.#shared;
    const encoder = new TextEncoder();
    return {
      streams: this.#shared,
      send: (text, targets) => {
        const bytes = encoder.encode(text);
        if (targets === undefined) {
          for (const controller of controllers) controller.enqueue(bytes);
        } else for (const at of targets.at) controllers[at]!.enqueue(bytes);
      },
      length: asItIs,
    };
  }

  #attachTo(manager: Ours | Peer): void {
    for (const [at, controller] of this.#shared.controllers.entries()) {
      void manager.create(this.ids[at]!, controller);
    }
  }
}

/** Its streams are those of its own responses. */
async function betterSse(ids: readonly string[]): Promise<Sender> {
  const channel = createChannel();
  // What they write on their own is not compared.
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
  // They are connected after a macrotask.
  while (sessions.some(({ isConnected }) => !isConnected)) await setImmediate();
  for (const session of sessions) channel.register(session);
  return {
    streams,
    // It makes the frame itself, as long as that of the others.
    send: (text, targets) => {
      const data = {
        text: text.slice(HEAD.length, -TAIL.length - ID_BYTES + SPACES),
      };
      if (targets === undefined) return void channel.broadcast(data);
      const wanted = new Set(targets.ids.map((id) => byId.get(id)));
      channel.broadcast(data, "message", {
        filter: (session) => wanted.has(session as Session),
      });
    },
    length: asItIs,
  };
}

/** It writes no space after the colon of a field. */
const SPACES = 2;

function asItIs(text: string, texts: number): number {
  return text.length * texts;
}

/** An SSE frame of ASCII characters, so that each is one byte. */
export function frame(bytes: number): string {
  return HEAD + "x".repeat(bytes - HEAD.length - TAIL.length) + TAIL;
}

function stop(error: Error): never {
  throw error;
}
