/**
 * Replaces `@std/testing/time` when JSR is unreachable: the part of `FakeTime`
 * that the tests use. It doesn't use the mock timers of `node:test`, because they
 * jump straight to the end of a tick. A timer that is set by another timer would
 * run late or not at all.
 *
 * @module
 */

const RealDate = Date;
const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
const abortSignalTimeout = AbortSignal.timeout;

interface Timer {
  due: number;
  /** Undefined for a timer that fires once. */
  readonly period?: number;
  readonly run: () => void;
}

let active: FakeTime | undefined;

/** Thrown if time is faked or restored twice. */
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

/** Replaces the clock and the timers until {@linkcode FakeTime.restore}. */
export class FakeTime {
  readonly start: number;
  // In insertion order, which decides between timers that are due at the same
  // time.
  readonly #timers: Map<number, Timer> = new Map();
  #now: number;
  #lastId = 0;

  constructor(start?: number | string | Date | null) {
    if (active) {
      throw new TimeError("Time is already faked. Restore it first.");
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
    if (!active) {
      throw new TimeError("Time is not faked, so it cannot be restored.");
    }
    active.restore();
  }

  get now(): number {
    return this.#now;
  }

  /** Moves the clock, and runs each timer that becomes due at its time. */
  set now(value: number) {
    if (value < this.#now) {
      throw new RangeError(`The clock cannot go back to ${value}.`);
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

  /** Moves the clock to the next timer. Returns false if no timer is set. */
  next(): boolean {
    const timer = this.#earliest()?.[1];
    if (timer) this.now = timer.due;
    return timer !== undefined;
  }

  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  /** Waits for one turn of the real event loop. */
  async runMicrotasks(): Promise<void> {
    await new Promise<void>((resolve) => setTimeout(() => resolve(), 0));
  }

  restore(): void {
    if (active !== this) {
      throw new TimeError("Time was already restored.");
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
