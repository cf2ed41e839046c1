/**
 * Stands in for `@std/testing/time` where JSR is out of reach: the part of
 * `FakeTime` that the tests use. Written out, not built on the mock timers of
 * `node:test`, because those jump straight to the end of a tick: a timer set by
 * another timer would then run late, or not at all.
 *
 * @module
 */

const RealDate = Date;
const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
const abortSignalTimeout = AbortSignal.timeout;

interface Timer {
  due: number;
  /** Unset for a timer that runs once. */
  readonly period?: number;
  readonly run: () => void;
}

let active: FakeTime | undefined;

/** Time was faked twice, or restored twice. */
export class TimeError extends Error {
  override name = "TimeError";
}

class FakeDate extends RealDate {
  // deno-lint-ignore no-explicit-any
  constructor(...args: any[]) {
    super(...(args.length > 0 ? args : [FakeDate.now()]) as [number]);
  }
  static override now(): number {
    return active?.now ?? RealDate.now();
  }
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof RealDate;
  }
}

/** Replaces the clock and the timers until it is restored. */
export class FakeTime {
  readonly start: number;
  // In the order in which they were set, which decides between equal due times.
  readonly #timers: Map<number, Timer> = new Map();
  #now: number;
  #lastId = 0;

  constructor(start?: number | string | Date | null) {
    if (active) {
      throw new TimeError("Cannot fake time: it is faked already. Restore it.");
    }
    this.start = this.#now = Math.floor(
      new RealDate(start ?? RealDate.now()).getTime(),
    );
    if (Number.isNaN(this.#now)) {
      throw new TypeError(`Cannot fake time: "${start}" is not a date.`);
    }
    active = this;
    Object.assign(globalThis, {
      Date: FakeDate,
      setTimeout: this.#set.bind(this, false),
      setInterval: this.#set.bind(this, true),
      clearTimeout: this.#clear,
      clearInterval: this.#clear,
    });
    AbortSignal.timeout = (delay) => {
      const controller = new AbortController();
      const reason = new DOMException("Signal timed out.", "TimeoutError");
      this.#set(false, () => controller.abort(reason), delay);
      return controller.signal;
    };
  }

  static restore(): void {
    if (!active) throw new TimeError("Cannot restore time: it is not faked.");
    active.restore();
  }

  get now(): number {
    return this.#now;
  }

  /** Runs what comes due on the way, each at its own time. */
  set now(value: number) {
    if (value < this.#now) {
      throw new RangeError(`Cannot go back in time, to ${value}.`);
    }
    while (this.#runNext(value));
    this.#now = value;
  }

  tick(ms = 0): void {
    this.now += ms;
  }

  async tickAsync(ms = 0): Promise<void> {
    await this.runMicrotasks();
    this.tick(ms);
  }

  /** Moves to the next timer; false when there is none. */
  next(): boolean {
    const timer = this.#earliest()?.[1];
    if (timer) this.now = timer.due;
    return timer !== undefined;
  }

  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  /** Lets everything that waits for no timer run, for one real turn. */
  async runMicrotasks(): Promise<void> {
    await new Promise<void>((resolve) => setTimeout(() => resolve(), 0));
  }

  restore(): void {
    if (active !== this) {
      throw new TimeError("Cannot restore time: it is restored already.");
    }
    active = undefined;
    Object.assign(globalThis, {
      Date: RealDate,
      setTimeout,
      setInterval,
      clearTimeout,
      clearInterval,
    });
    AbortSignal.timeout = abortSignalTimeout;
  }

  [Symbol.dispose](): void {
    this.restore();
  }

  #set<T extends unknown[]>(
    repeats: boolean,
    callback: (...args: T) => void,
    delay = 0,
    ...args: T
  ): number {
    const wait = Math.max(repeats ? 1 : 0, Math.floor(delay) || 0);
    this.#timers.set(++this.#lastId, {
      due: this.#now + wait,
      run: () => callback(...args),
      ...(repeats && { period: wait }),
    });
    return this.#lastId;
  }

  #clear = (id?: unknown): void => {
    this.#timers.delete(id as number);
  };

  #earliest(): [number, Timer] | undefined {
    let earliest: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      if (!earliest || entry[1].due < earliest[1].due) earliest = entry;
    }
    return earliest;
  }

  #runNext(until: number): boolean {
    const [id, timer] = this.#earliest() ?? [];
    if (id === undefined || !timer || timer.due > until) return false;
    this.#now = timer.due;
    this.#timers.delete(id);
    if (timer.period !== undefined) {
      this.#timers.set(id, { ...timer, due: timer.due + timer.period });
    }
    timer.run();
    return true;
  }
}
