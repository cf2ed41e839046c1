import type { PeriodicTask, Scheduler } from "../../runtime/scheduler.ts";

/**
 * Resets the open streams of a node that others have removed. Several nodes
 * usually say so one after the other, so it waits until the last one has: what
 * it sent before is lost as well.
 */
export class RemovalResets implements PeriodicTask {
  readonly periodMs: number;
  readonly #scheduler: Scheduler;
  readonly #reset: () => void;
  #removedAt = 0;

  /**
   * @param scheduler Waits.
   * @param waitMs How long to wait, in milliseconds: by then, each node has been
   * heard of.
   * @param reset Resets the streams.
   */
  constructor(scheduler: Scheduler, waitMs: number, reset: () => void) {
    this.#scheduler = scheduler;
    this.periodMs = waitMs;
    this.#reset = reset;
  }

  /** Another node has removed this one. */
  onRemoved(): void {
    this.#removedAt = this.#scheduler.now();
    this.#scheduler.start(this);
  }

  run(now: number): void {
    if (now - this.#removedAt < this.periodMs) return;
    this.#scheduler.stop(this);
    this.#reset();
  }
}
