import { setImmediate } from "node:timers/promises";
import type { Entrant } from "./paired_rounds.ts";
import {
  type Contender,
  type Sender,
  Senders,
  type Targets,
} from "./senders.ts";
export { type Contender, makeFrame } from "./senders.ts";

/** What to send, and what to time. */
export interface Load {
  /**
   * Whether the readers have a pending read, as the server of a live connection
   * does, or the data queues up, as behind a slow connection.
   */
  readonly reader: "waiting" | "behind";
  /** The number of frames within one turn of the event loop; defaults to one. */
  readonly burst?: number;
  /**
   * The number of recipients, spread evenly over all sessions; defaults to all
   * (a broadcast).
   */
  readonly recipients?: number;
  /** The index of the first recipient, so that several loads need not share any. */
  readonly first?: number;
  /**
   * Whether only the sender's work is timed (to the end of the turn for a
   * burst), or everything until the readers have read it.
   */
  readonly until: "sent" | "read";
}

/** The sessions of one server, and the senders to them. */
export class FanOut {
  readonly #senders: Senders;

  /** @param sessions The number of sessions. */
  constructor(sessions: number) {
    this.#senders = new Senders(sessions);
  }

  /** Prepares a contender to send; each starts from the same state. */
  async run(contender: Contender, load: Load, frame: string): Promise<Run> {
    const sender = await this.#senders.get(contender);
    const { ids } = this.#senders;
    const { recipients, first = 0 } = load;
    if (recipients === undefined) {
      return new Run(contender, sender, load, frame, {
        at: [...ids.keys()],
        ids: undefined,
      });
    }
    const step = ids.length / recipients;
    const at = Array.from(
      { length: recipients },
      (_, place) => first + Math.floor(place * step),
    );
    return new Run(contender, sender, load, frame, {
      at,
      ids: at.map((place) => ids[place]!),
    });
  }

  /** Returns an entrant for `pairedRounds`. */
  async entrant(
    contender: Contender,
    load: Load,
    frame: string,
    runs: number,
  ): Promise<Entrant> {
    const run = await this.run(contender, load, frame);
    return {
      runs,
      prepare: () => run.prepare(),
      run: () => run.run(),
      finish: () => run.finish(),
    };
  }

  /** Ends the streams, so that their memory can be freed. */
  close(): Promise<void> {
    return this.#senders.close();
  }
}

/** One contender under one load. */
export class Run {
  readonly #contender: Contender;
  readonly #sender: Sender;
  readonly #load: Load;
  readonly #frame: string;
  readonly #at: readonly number[];
  readonly #targets: Targets | undefined;

  constructor(
    contender: Contender,
    sender: Sender,
    load: Load,
    frame: string,
    { at, ids }: { at: readonly number[]; ids: string[] | undefined },
  ) {
    this.#contender = contender;
    this.#sender = sender;
    this.#load = load;
    this.#frame = frame;
    this.#at = at;
    this.#targets = ids && { at, ids };
  }

  /** Prepares the readers. Not timed. */
  prepare(): void {
    if (this.#load.reader === "waiting") this.#sender.streams.wait(this.#at);
  }

  /** The timed part. */
  run(): void | Promise<void> {
    const { burst = 1, until } = this.#load;
    for (let left = burst; left > 0; left--) {
      this.#sender.send(this.#frame, this.#targets);
    }
    if (until === "read") return this.#drain();
    // Work that was deferred to the end of the turn counts.
    if (burst > 1) return setImmediate();
  }

  /**
   * Empties the streams, so that nothing piles up. Not timed.
   *
   * @throws {Error} If a session gets more than it should.
   */
  async finish(): Promise<void> {
    if (this.#load.until === "sent") await this.#drain();
    // Lets the runtime do deferred work. A timer would let the processor sleep,
    // and the next run would start by waking it.
    await setImmediate();
  }

  #drain(): Promise<void> {
    const { streams, length } = this.#sender;
    const bytes = length(this.#frame, this.#load.burst ?? 1);
    return streams.drain(this.#at, bytes).catch((cause) => {
      throw new Error(`With ${this.#contender}: ${cause.message}`, { cause });
    });
  }
}
