import { setNewest } from "../../runtime/lru_map.ts";
import {
  periodFor,
  type Ticker,
  type Watcher,
} from "../../runtime/scheduler.ts";

/** Sessions whose streams have ended, and whose clients may come back for a while. */
export class ParkedSessions implements Watcher {
  readonly periodMs: number;
  readonly #maxAgeMs: number;
  readonly #ticker: Ticker;
  readonly #onOver: (id: string) => void;
  /** When the streams ended, the longest ago first. */
  readonly #parked: Map<string, number> = new Map();

  /**
   * @param maxAgeMs For how long, in milliseconds.
   * @param ticker Runs the look at them.
   * @param onOver Told of those whose time is over.
   */
  constructor(
    maxAgeMs: number,
    ticker: Ticker,
    onOver: (id: string) => void,
  ) {
    this.#maxAgeMs = maxAgeMs;
    this.#ticker = ticker;
    this.#onOver = onOver;
    this.periodMs = periodFor(maxAgeMs);
  }

  /** Adds one whose stream has just ended. */
  add(id: string): void {
    setNewest(this.#parked, id, this.#ticker.now());
    this.#ticker.start(this);
  }

  /**
   * Takes one out.
   *
   * @returns Whether it was there.
   */
  delete(id: string): boolean {
    return this.#parked.delete(id);
  }

  tick(now: number): void {
    for (const [id, at] of this.#parked) {
      if (now - at < this.#maxAgeMs) return;
      this.#parked.delete(id);
      this.#onOver(id);
    }
    this.#ticker.stop(this);
  }

  /** Forgets them all. */
  close(): void {
    this.#parked.clear();
    this.#ticker.stop(this);
  }
}
