import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "./scheduler.ts";

/**
 * Resolves with the result of a promise, or with undefined after a timeout.
 */
export async function waitAtMost<Result>(
  promise: Promise<Result>,
  timeoutMs: number,
): Promise<Result | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Does the same for many promises at once, with one timer for all. It may wait
 * longer, by a quarter of the timeout or a second.
 */
export class TimeLimit implements PeriodicTask {
  readonly periodMs: number;
  readonly #timeoutMs: number;
  readonly #scheduler: Scheduler;
  /** How to stop waiting, and when that began, in that order. */
  readonly #waiting: Map<() => void, number> = new Map();

  /**
   * @param timeoutMs The timeout, in milliseconds; Infinity for none.
   * @param scheduler Its clock stops while the event loop is blocked.
   */
  constructor(timeoutMs: number, scheduler: Scheduler) {
    this.#timeoutMs = timeoutMs;
    this.#scheduler = scheduler;
    this.periodMs = checkPeriodFor(timeoutMs);
  }

  /** Resolves with the result of a promise, or with undefined. */
  wait<Result>(promise: Promise<Result>): Promise<Result | undefined> {
    this.#scheduler.start(this);
    return new Promise((resolve, reject) => {
      const stop = () => resolve(undefined);
      this.#waiting.set(stop, this.#scheduler.now());
      promise.then((result) => {
        this.#waiting.delete(stop);
        resolve(result);
      }, (error) => {
        this.#waiting.delete(stop);
        reject(error);
      });
    });
  }

  /** Stops the timer at once, or when nothing waits any more. */
  close(): void {
    if (this.#waiting.size === 0) this.#scheduler.stop(this);
  }

  run(now: number): void {
    if (this.#waiting.size === 0) this.#scheduler.stop(this);
    for (const [stop, startedAt] of this.#waiting) {
      if (now - startedAt < this.#timeoutMs) return;
      this.#waiting.delete(stop);
      stop();
    }
  }
}

/** How often a condition is checked, in milliseconds. */
const POLL_MS = 20;

/** Resolves when a condition holds, or after a timeout. */
export async function waitUntil(
  condition: () => boolean,
  timeoutMs: number,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!condition() && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
