/** Work that is repeated while something needs it. */
export interface PeriodicTask {
  /** The longest time between two runs, in milliseconds. */
  readonly periodMs: number;
  /**
   * Does the work. Must not throw.
   *
   * @param now The scheduler's time, in milliseconds.
   */
  run(now: number): void;
}

/** Timers of Node, Bun and recent Deno that don't keep the process alive. */
type Timer = { unref?: () => void };

/**
 * One timer for all periodic work. It runs while there are tasks, and doesn't
 * keep the process alive.
 *
 * Its clock follows the system's but never jumps: if the event loop was
 * blocked, the machine was asleep or the time was set, streams and sessions
 * don't age meanwhile.
 */
export class Scheduler {
  readonly #tasks: Set<PeriodicTask> = new Set();
  #periodMs = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The latest time that the clock shows before the next tick. */
  #limit = 0;
  #now = 0;
  /** When the clock was last read, in system time. */
  #readAt = 0;
  /** When the last tick was, or when the scheduler started. */
  #tickedAt = 0;

  /** The current time, in milliseconds since some moment. */
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

  /** Starts a task. Does nothing if it is running. */
  start(task: PeriodicTask): void {
    if (this.#tasks.has(task) || task.periodMs === Infinity) return;
    this.#tasks.add(task);
    this.#adjust();
  }

  /** Stops a task. */
  stop(task: PeriodicTask): void {
    if (this.#tasks.delete(task)) this.#adjust();
  }

  /** Sets the timer to the shortest period. */
  #adjust(): void {
    let periodMs = Infinity;
    for (const task of this.#tasks) {
      periodMs = Math.min(periodMs, task.periodMs);
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
    for (const task of [...this.#tasks]) task.run(now);
    if (this.#periodMs !== Infinity) this.#wait(this.#periodMs);
  }
}

/**
 * Returns how often to check for something that lasts a certain time: four
 * times within it, so that it is noticed soon, but at least once a second and
 * at most a hundred times.
 *
 * @param durations Milliseconds; Infinity for something that never happens.
 */
export function checkPeriodFor(...durations: readonly number[]): number {
  const shortest = Math.min(...durations);
  return shortest === Infinity
    ? Infinity
    : Math.min(Math.max(Math.floor(shortest / 4), 10), 1_000);
}

const schedulers = new WeakMap<object, Scheduler>();

/** Returns the scheduler of an object, always the same one. */
export function sharedScheduler(owner: object): Scheduler {
  let scheduler = schedulers.get(owner);
  if (scheduler === undefined) {
    schedulers.set(owner, scheduler = new Scheduler());
  }
  return scheduler;
}
