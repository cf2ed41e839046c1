import { InMemoryStreamSessionManager as Peer } from "@tmcp/session-manager";
import { setImmediate } from "node:timers/promises";
import { InMemoryStreamSessionManager as Ours } from "../mod.ts";
import { Streams } from "./streams.ts";

/** Who is compared. The floor is the bare loop that no manager can do without. */
export const CONTENDERS = ["ours", "peer", "floor"] as const;
export type Contender = typeof CONTENDERS[number];

/**
 * Whether a reader waits for the data, as the server of a live connection does,
 * or the data has to queue up, as behind a slow one.
 */
export type Reader = "waiting" | "behind";

/** The sessions of one server, at the disposal of every contender alike. */
export class FanOut {
  readonly #ids: string[];
  readonly #everyone: number[];
  readonly #streams: Streams;
  // Most streams here are read only now and then: nobody is to comment on that, or
  // to break them off for it.
  readonly #ours = new Ours({
    backlog: { maxAgeMs: Infinity },
    keepAliveMs: false,
    onError: stop,
    onEvict: (id, reason) => stop(new Error(`${id} was evicted: ${reason}`)),
  });
  readonly #peer = new Peer();
  readonly #encoder = new TextEncoder();

  /** @param sessions How many. */
  constructor(sessions: number) {
    this.#streams = new Streams(sessions);
    this.#ids = this.#streams.controllers.map(() => crypto.randomUUID());
    this.#everyone = [...this.#ids.keys()];
    for (const [at, controller] of this.#streams.controllers.entries()) {
      this.#ours.create(this.#ids[at]!, controller);
      this.#peer.create(this.#ids[at]!, controller);
    }
  }

  /**
   * Sets up one kind of `send`.
   *
   * @param chosen How many sessions it names, spread over all of them; left out,
   * it names nobody and so reaches everyone.
   * @param first Where the chosen start, to have several that share none.
   */
  send(chosen?: number, first = 0): Send {
    const step = this.#ids.length / (chosen ?? this.#ids.length);
    const targets = chosen === undefined ? this.#everyone : Array.from(
      { length: chosen },
      (_, at) => first + Math.floor(at * step),
    );
    const ids = chosen === undefined
      ? undefined
      : targets.map((at) => this.#ids[at]!);
    const controllers = targets.map((at) => this.#streams.controllers[at]!);
    return new Send(this.#streams, targets, {
      ours: (text) => this.#ours.send(ids, text),
      peer: (text) => this.#peer.send(ids, text),
      floor: (text) => {
        const bytes = this.#encoder.encode(text);
        for (const controller of controllers) controller.enqueue(bytes);
      },
    });
  }

  /** Ends the streams, so that their memory can be freed. */
  async close(): Promise<void> {
    await this.#ours.close();
  }
}

/** One kind of `send`, run by any contender from the same state of the streams. */
export class Send {
  readonly #streams: Streams;
  readonly #targets: number[];
  readonly #run: Record<Contender, (text: string) => void>;

  constructor(
    streams: Streams,
    targets: number[],
    run: Record<Contender, (text: string) => void>,
  ) {
    this.#streams = streams;
    this.#targets = targets;
    this.#run = run;
  }

  /** Brings the readers into place. Not to be timed. */
  prepare(reader: Reader): void {
    if (reader === "waiting") this.#streams.wait(this.#targets);
  }

  /** What is to be timed. */
  run(contender: Contender, text: string): void {
    this.#run[contender](text);
  }

  /**
   * Empties the streams, so that nothing piles up. Not to be timed.
   *
   * @throws {Error} Unless every session got the text exactly once.
   */
  async finish(contender: Contender, text: string): Promise<void> {
    const received = await this.#streams.drain(this.#targets);
    const expected = text.length * this.#targets.length;
    if (received !== expected) {
      throw new Error(
        `${contender}: ${received} bytes arrived instead of ${expected}.`,
      );
    }
    // Lets the runtime do what it put off. A timer would let the processor sleep,
    // and the next run would start with it waking up.
    await setImmediate();
  }
}

/** An SSE frame of ASCII characters, so that each is one byte. */
export function frame(bytes: number): string {
  const [head, tail] = ['event: message\ndata: {"text":"', '"}\n\n'];
  return head + "x".repeat(bytes - head.length - tail.length) + tail;
}

function stop(error: Error): never {
  throw error;
}
