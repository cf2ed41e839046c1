import { touch } from "../../runtime/lru_map.ts";
import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../../runtime/scheduler.ts";
import { type Slice, SlicedSweep } from "../../runtime/slice.ts";

/** Sessions whose streams have ended, and whose clients may still reconnect. */
export class DetachedSessions implements PeriodicTask {
  readonly periodMs: number;
  readonly #maxAgeMs: number;
  readonly #scheduler: Scheduler;
  readonly #onExpire: (id: string) => void;
  /** When the streams ended, oldest first. */
  readonly #detached: Map<string, number> = new Map();
  readonly #sweep = new SlicedSweep((now, slice) => this.#expire(now, slice));

  /**
   * @param maxAgeMs How long to wait for a client, in milliseconds.
   * @param scheduler Runs the check.
   * @param onExpire Called with each session that expires.
   */
  constructor(
    maxAgeMs: number,
    scheduler: Scheduler,
    onExpire: (id: string) => void,
  ) {
    this.#maxAgeMs = maxAgeMs;
    this.#scheduler = scheduler;
    this.#onExpire = onExpire;
    this.periodMs = checkPeriodFor(maxAgeMs);
  }

  /** Adds a session whose stream has just ended. */
  add(id: string): void {
    touch(this.#detached, id, this.#scheduler.now());
    this.#scheduler.start(this);
  }

  /**
   * Removes a session.
   *
   * @returns Whether it was there.
   */
  delete(id: string): boolean {
    return this.#detached.delete(id);
  }

  run(now: number): void {
    this.#sweep.run(now);
  }

  #expire(now: number, slice: Slice): void {
    for (const [id, detachedAt] of this.#detached) {
      if (now - detachedAt < this.#maxAgeMs || slice.isOver()) return;
      this.#detached.delete(id);
      this.#onExpire(id);
    }
    this.#scheduler.stop(this);
  }

  /** Removes all sessions. */
  close(): void {
    this.#detached.clear();
    this.#scheduler.stop(this);
  }
}
