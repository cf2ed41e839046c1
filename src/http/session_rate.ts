/** After how many milliseconds a principal may begin as many as ever. */
const PERIOD_MS = 1_000;

/** How many sessions a principal may begin now. */
interface Allowance {
  readonly left: number;
  readonly at: number;
}

/**
 * Limits how fast each principal begins sessions (a token bucket, which holds
 * one second's worth).
 *
 * Principals of the last second are remembered, and at most those of the last
 * two: nothing is visited to find the others.
 */
export class SessionRate {
  readonly #maxPerSecond: number;
  readonly #now: () => number;
  /** The principals since the start of this period, and of the one before. */
  #current: Map<string, Allowance> = new Map();
  #previous: Map<string, Allowance> = new Map();
  #startedAt = 0;

  /**
   * @param maxPerSecond How many sessions a principal may begin in a second.
   * @param now Returns the time, in milliseconds.
   */
  constructor(maxPerSecond: number, now: () => number = monotonicNow) {
    this.#maxPerSecond = maxPerSecond;
    this.#now = now;
  }

  /** How many principals are remembered. */
  get size(): number {
    return this.#current.size + this.#previous.size;
  }

  /** Returns whether a principal may not begin a session now. */
  isExhausted(principal: string | undefined): boolean {
    return principal !== undefined && this.#left(principal, this.#now()) < 1;
  }

  /** Counts a new session. Returns false if it is one too many. */
  take(principal: string | undefined): boolean {
    if (principal === undefined || this.#maxPerSecond === Infinity) return true;
    const now = this.#now();
    this.#startPeriod(now);
    const left = this.#left(principal, now);
    if (left < 1) return false;
    this.#previous.delete(principal);
    this.#current.set(principal, { left: left - 1, at: now });
    return true;
  }

  #left(principal: string, now: number): number {
    const known = this.#current.get(principal) ?? this.#previous.get(principal);
    if (known === undefined) return this.#maxPerSecond;
    const regained = (now - known.at) / PERIOD_MS * this.#maxPerSecond;
    return Math.min(known.left + regained, this.#maxPerSecond);
  }

  /** Starts a period, if the last one is over, and forgets the one before. */
  #startPeriod(now: number): void {
    const elapsed = now - this.#startedAt;
    if (elapsed < PERIOD_MS) return;
    this.#previous = elapsed < 2 * PERIOD_MS ? this.#current : new Map();
    this.#current = new Map();
    this.#startedAt = now;
  }
}

function monotonicNow(): number {
  return performance.now();
}
