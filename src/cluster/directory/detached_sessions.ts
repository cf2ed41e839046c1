import { touch } from "../../runtime/lru_map.ts";
import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../../runtime/scheduler.ts";

/** Sessions whose streams have ended, and whose clients may come back for a while. */
export class DetachedSessions implements PeriodicTask {
  readonly periodMs: number;
  readonly #maxAgeMs: number;
  readonly #ticker: Scheduler;
  readonly #onExpire: (id: string) => void;
  /** When the streams ended, the longest ago first. */
  readonly #detached: Map<string, number> = new Map();

  /**
   * @param maxAgeMs For how long, in milliseconds.
   * @param ticker Runs the look at them.
   * @param onOver Told of those whose time is over.
   */
  constructor(
    maxAgeMs: number,
    ticker: Scheduler,
    onOver: (id: string) => void,
  ) {
    this.#maxAgeMs = maxAgeMs;
    this.#ticker = ticker;
    this.#onExpire = onOver;
    this.periodMs = checkPeriodFor(maxAgeMs);
  }

  /** Adds one whose stream has just ended. */
  add(id: string): void {
    touch(this.#detached, id, this.#ticker.now());
    this.#ticker.start(this);
  }

  /**
   * Takes one out.
   *
   * @returns Whether it was there.
   */
  delete(id: string): boolean {
    return this.#detached.delete(id);
  }

  run(now: number): void {
    for (const [id, at] of this.#detached) {
      if (now - at < this.#maxAgeMs) return;
      this.#detached.delete(id);
      this.#onExpire(id);
    }
    this.#ticker.stop(this);
  }

  /** Forgets them all. */
  close(): void {
    this.#detached.clear();
    this.#ticker.stop(this);
  }
}
