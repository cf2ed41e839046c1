import { ClosedError } from "../errors.ts";
import type { LocalStreams } from "./local_streams.ts";
import type { SessionStream } from "./session_stream.ts";

const STEPS = 20;

/**
 * Ends streams one by one, so that their clients don't all reconnect at once.
 */
export class Drain {
  /** Resolves when all streams have ended. */
  readonly done: Promise<void>;
  readonly #streams: LocalStreams;
  /** Streams that were ended while they still held data. */
  readonly #ended: Map<string, SessionStream> = new Map();
  readonly #resolve: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #deadline: number;
  #stepsLeft = STEPS;

  /**
   * @param streams The streams to end.
   * @param windowMs The duration of the drain, in milliseconds.
   */
  constructor(streams: LocalStreams, windowMs: number) {
    this.#streams = streams;
    let resolve: () => void = () => {};
    this.done = new Promise((done) => resolve = done);
    this.#resolve = resolve;
    this.#deadline = Date.now() + windowMs;
    this.#timer = setInterval(() => this.#step(), windowMs / STEPS);
    if (streams.size === 0) this.finish();
  }

  /** Ends the remaining streams, even if they hold data. */
  finish(): void {
    clearInterval(this.#timer);
    this.#end(this.#streams.size);
    // Does nothing if all of it was read.
    const reason = new ClosedError("The server is shutting down.");
    for (const stream of this.#ended.values()) stream.abort(reason);
    this.#resolve();
  }

  /**
   * Aborts a stream that still holds data, because its session has a newer one.
   */
  replace(id: string): void {
    this.#ended.get(id)?.endReplaced(id);
  }

  #step(): void {
    this.#end(Math.ceil(this.#streams.size / this.#stepsLeft));
    const isDone = this.#streams.size === 0 && this.#ended.size === 0;
    // A busy event loop manages fewer steps in the same time.
    const isOver = --this.#stepsLeft <= 0 || Date.now() >= this.#deadline;
    if (isOver || isDone) this.finish();
  }

  #end(count: number): void {
    for (const id of [...this.#streams.ids()].slice(0, count)) {
      const stream = this.#streams.end(id);
      if (stream !== undefined) this.#ended.set(id, stream);
    }
  }
}
