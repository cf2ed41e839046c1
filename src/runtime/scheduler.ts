/** What is done again and again while there is something to watch. */
export interface PeriodicTask {
  /** How often it has to be done at least, in milliseconds. */
  readonly periodMs: number;
  /**
   * Does it. Must not throw.
   *
   * @param now Milliseconds on the ticker's clock.
   */
  run(now: number): void;
}

/** Timers of Node, Bun and newer Deno can let the process end. */
type Timer = { unref?: () => void };

/**
 * One timer for everything that has to be looked at again and again. It runs while
 * there is something to watch, and does not keep the process alive.
 *
 * Its clock is the system's, but takes no leaps: when the event loop was blocked,
 * the machine asleep or the time set, no stream and no session is the older for it.
 */
export class Scheduler {
  readonly #watchers: Set<PeriodicTask> = new Set();
  #periodMs = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What the clock says at most before the next tick. */
  #limit = 0;
  #now = 0;
  /** When it was asked last, on the system's clock. */
  #readAt = 0;
  /** When it ticked last, or began to run. */
  #tickedAt = 0;

  /** Milliseconds since some moment. */
  now(): number {
    if (this.#timer !== undefined) {
      const time = Date.now();
      const passed = Math.max(time - this.#readAt, 0);
      this.#now = Math.min(
        this.#now + passed,
        Math.max(this.#limit, this.#now),
      );
      this.#readAt = time;
    }
    return this.#now;
  }

  /** Calls a watcher from now on. One that is called already stays so. */
  start(watcher: PeriodicTask): void {
    if (this.#watchers.has(watcher) || watcher.periodMs === Infinity) return;
    this.#watchers.add(watcher);
    this.#adjust();
  }

  /** Calls a watcher no longer. */
  stop(watcher: PeriodicTask): void {
    if (this.#watchers.delete(watcher)) this.#adjust();
  }

  /** Sets the timer to the shortest of the periods. */
  #adjust(): void {
    let periodMs = Infinity;
    for (const watcher of this.#watchers) {
      periodMs = Math.min(periodMs, watcher.periodMs);
    }
    if (periodMs === this.#periodMs) return;
    const now = this.now();
    if (this.#timer === undefined) {
      this.#readAt = Date.now();
      this.#tickedAt = now;
    }
    this.#periodMs = periodMs;
    this.#wait(this.#tickedAt + periodMs - now);
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (ms === Infinity) return;
    this.#limit = this.#tickedAt + 2 * this.#periodMs;
    this.#timer = setTimeout(() => this.#tick(), Math.max(ms, 0));
    (this.#timer as Timer).unref?.();
  }

  #tick(): void {
    const now = this.now();
    this.#tickedAt = now;
    for (const watcher of [...this.#watchers]) watcher.run(now);
    if (this.#periodMs !== Infinity) this.#wait(this.#periodMs);
  }
}

/**
 * How often to look for what lasts some time: four times as often, so that it is
 * found soon after, but not more than a hundred times and not less than once a
 * second.
 *
 * @param durations Milliseconds; Infinity for what never happens.
 */
export function checkPeriodFor(...durations: readonly number[]): number {
  const shortest = Math.min(...durations);
  return shortest === Infinity
    ? Infinity
    : Math.min(Math.max(Math.floor(shortest / 4), 10), 1_000);
}

const tickers = new WeakMap<object, Scheduler>();

/** The ticker of an object, the same for everyone who asks. */
export function sharedScheduler(owner: object): Scheduler {
  let ticker = tickers.get(owner);
  if (ticker === undefined) tickers.set(owner, ticker = new Scheduler());
  return ticker;
}
