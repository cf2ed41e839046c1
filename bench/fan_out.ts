import { setImmediate } from "node:timers/promises";
import type { Entrant } from "./paired_rounds.ts";
import {
  type Contender,
  type Sender,
  Senders,
  type Targets,
} from "./senders.ts";
export { type Contender, frame } from "./senders.ts";

/** What is sent at a time, and what is timed. */
export interface Load {
  /**
   * Whether the readers wait for the data, as the server of a live connection does,
   * or the data has to queue up, as behind a slow one.
   */
  readonly reader: "waiting" | "behind";
  /** How many texts within one turn of the event loop; one when left out. */
  readonly burst?: number;
  /** How many sessions are named, spread over all of them; else everyone. */
  readonly chosen?: number;
  /** Where the chosen start, to have several loads that share none. */
  readonly first?: number;
  /**
   * Whether only what the sender does is timed, to the end of its turn if that has
   * several texts, or until the readers have read all.
   */
  readonly until: "sent" | "read";
}

/** The sessions of one server, and what can be sent to them. */
export class FanOut {
  readonly #senders: Senders;

  /** @param sessions How many. */
  constructor(sessions: number) {
    this.#senders = new Senders(sessions);
  }

  /** Sets a contender up to send, of whom each starts from the same state. */
  async run(contender: Contender, load: Load, text: string): Promise<Run> {
    const sender = await this.#senders.get(contender);
    const { ids } = this.#senders;
    const { chosen, first = 0 } = load;
    if (chosen === undefined) {
      return new Run(contender, sender, load, text, {
        at: [...ids.keys()],
        ids: undefined,
      });
    }
    const step = ids.length / chosen;
    const at = Array.from(
      { length: chosen },
      (_, place) => first + Math.floor(place * step),
    );
    return new Run(contender, sender, load, text, {
      at,
      ids: at.map((place) => ids[place]!),
    });
  }

  /** What `pairedRounds` takes. */
  async entrant(
    contender: Contender,
    load: Load,
    text: string,
    runs: number,
  ): Promise<Entrant> {
    const run = await this.run(contender, load, text);
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
  readonly #text: string;
  readonly #at: readonly number[];
  readonly #targets: Targets | undefined;

  constructor(
    contender: Contender,
    sender: Sender,
    load: Load,
    text: string,
    { at, ids }: { at: readonly number[]; ids: string[] | undefined },
  ) {
    this.#contender = contender;
    this.#sender = sender;
    this.#load = load;
    this.#text = text;
    this.#at = at;
    this.#targets = ids && { at, ids };
  }

  /** Brings the readers into place. Not to be timed. */
  prepare(): void {
    if (this.#load.reader === "waiting") this.#sender.streams.wait(this.#at);
  }

  /** What is to be timed. */
  run(): void | Promise<void> {
    const { burst = 1, until } = this.#load;
    for (let left = burst; left > 0; left--) {
      this.#sender.send(this.#text, this.#targets);
    }
    if (until === "read") return this.#drain();
    // What waits for the end of the turn is part of the work.
    if (burst > 1) return setImmediate();
  }

  /**
   * Empties the streams, so that nothing piles up. Not to be timed.
   *
   * @throws {Error} When a session gets more than it should.
   */
  async finish(): Promise<void> {
    if (this.#load.until === "sent") await this.#drain();
    // Lets the runtime do what it put off. A timer would let the processor sleep,
    // and the next run would start with it waking up.
    await setImmediate();
  }

  #drain(): Promise<void> {
    const { streams, length } = this.#sender;
    const bytes = length(this.#text, this.#load.burst ?? 1);
    return streams.drain(this.#at, bytes).catch((cause) => {
      throw new Error(`With ${this.#contender}: ${cause.message}`, { cause });
    });
  }
}
