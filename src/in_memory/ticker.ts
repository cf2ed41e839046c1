/** What is done again and again while there is something to watch. */
export interface Watcher {
  /** How often it has to be done at least, in milliseconds. */
  readonly periodMs: number;
  /**
   * Does it. Must not throw.
   *
   * @param now Milliseconds on the ticker's clock.
   */
  tick(now: number): void;
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
export class Ticker {
  readonly #watchers: Set<Watcher> = new Set();
  #periodMs = Infinity;
  #timer: ReturnType<typeof setInterval> | undefined;
  #now = 0;
  #readAt = 0;

  /** Milliseconds since some moment. */
  now(): number {
    const time = Date.now();
    if (this.#timer !== undefined) {
      const passed = time - this.#readAt;
      this.#now += Math.min(Math.max(passed, 0), 2 * this.#periodMs);
    }
    this.#readAt = time;
    return this.#now;
  }

  /** Calls a watcher from now on. One that is called already stays so. */
  start(watcher: Watcher): void {
    if (this.#watchers.has(watcher) || watcher.periodMs === Infinity) return;
    this.now();
    this.#watchers.add(watcher);
    this.#run();
  }

  /** Calls a watcher no longer. */
  stop(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher)) return;
    this.now();
    this.#run();
  }

  /** Sets the timer to the shortest of the periods. */
  #run(): void {
    let periodMs = Infinity;
    for (const watcher of this.#watchers) {
      periodMs = Math.min(periodMs, watcher.periodMs);
    }
    if (periodMs === this.#periodMs) return;
    this.#periodMs = periodMs;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (periodMs === Infinity) return;
    this.#timer = setInterval(() => this.#tick(), periodMs);
    (this.#timer as Timer).unref?.();
  }

  #tick(): void {
    const now = this.now();
    for (const watcher of [...this.#watchers]) watcher.tick(now);
  }
}

/**
 * How often to look for what lasts some time: four times as often, so that it is
 * found soon after, but not more than a hundred times and not less than once a
 * second.
 *
 * @param durations Milliseconds; Infinity for what never happens.
 */
export function periodFor(...durations: readonly number[]): number {
  const shortest = Math.min(...durations);
  return shortest === Infinity
    ? Infinity
    : Math.min(Math.max(Math.floor(shortest / 4), 10), 1_000);
}

const tickers = new WeakMap<object, Ticker>();

/** The ticker of an object, the same for everyone who asks. */
export function tickerOf(owner: object): Ticker {
  let ticker = tickers.get(owner);
  if (ticker === undefined) tickers.set(owner, ticker = new Ticker());
  return ticker;
}
