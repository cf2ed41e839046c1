import { ClosedError } from "../errors.ts";
import { replaceController } from "./controllers.ts";
import type { LocalStreams } from "./local_streams.ts";

const STEPS = 20;

/** Ends streams little by little, so that their clients do not all come at once. */
export class Drain {
  /** Resolves when all are ended. */
  readonly done: Promise<void>;
  readonly #streams: LocalStreams;
  /** Those that are ended and still held something then. */
  readonly #ended: Map<string, ReadableStreamDefaultController> = new Map();
  readonly #resolve: () => void;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #deadline: number;
  #stepsLeft = STEPS;

  /**
   * @param streams What to end.
   * @param windowMs In how many milliseconds.
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

  /** Ends those that are left, whatever they hold. */
  finish(): void {
    clearInterval(this.#timer);
    this.#end(this.#streams.size);
    // Does nothing to those that were read to the end.
    const reason = new ClosedError("The server is shutting down.");
    for (const controller of this.#ended.values()) controller.error(reason);
    this.#resolve();
  }

  /** Breaks off a stream that holds something still, and has a newer one. */
  replace(id: string): void {
    const controller = this.#ended.get(id);
    if (controller !== undefined) replaceController(controller, id);
  }

  #step(): void {
    this.#end(Math.ceil(this.#streams.size / this.#stepsLeft));
    const isDone = this.#streams.size === 0 && this.#ended.size === 0;
    // A busy event loop comes to fewer steps in the time.
    const isOver = --this.#stepsLeft <= 0 || Date.now() >= this.#deadline;
    if (isOver || isDone) this.finish();
  }

  #end(count: number): void {
    for (const id of [...this.#streams.ids()].slice(0, count)) {
      const controller = this.#streams.end(id);
      if (controller !== undefined) this.#ended.set(id, controller);
    }
  }
}
