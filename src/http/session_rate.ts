import { touch } from "../runtime/lru_map.ts";

/** How many forgotten principals are removed with each new session. */
const REMOVED_PER_SESSION = 2;

/** How many sessions a principal may begin now. */
interface Allowance {
  left: number;
  readonly at: number;
}

/**
 * Limits how fast each principal begins sessions (a token bucket, which holds
 * one second's worth). Only principals of the last second are remembered.
 */
export class SessionRate {
  readonly #maxPerSecond: number;
  readonly #now: () => number;
  /** The least recent one first. */
  readonly #allowances: Map<string, Allowance> = new Map();
  /** When the last session was counted. */
  #takenAt = 0;

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
    return this.#allowances.size;
  }

  /** Returns whether a principal may not begin a session now. */
  isExhausted(principal: string | undefined): boolean {
    return principal !== undefined && this.#left(principal, this.#now()) < 1;
  }

  /** Counts a new session. Returns false if it is one too many. */
  take(principal: string | undefined): boolean {
    if (principal === undefined || this.#maxPerSecond === Infinity) return true;
    const now = this.#now();
    const left = this.#left(principal, now);
    this.#removeOld(now);
    if (left < 1) return false;
    touch(this.#allowances, principal, { left: left - 1, at: now });
    this.#takenAt = now;
    return true;
  }

  #left(principal: string, now: number): number {
    const known = this.#allowances.get(principal);
    if (known === undefined) return this.#maxPerSecond;
    const regained = (now - known.at) / 1_000 * this.#maxPerSecond;
    return Math.min(known.left + regained, this.#maxPerSecond);
  }

  #removeOld(now: number): void {
    if (now - this.#takenAt >= 1_000) return this.#allowances.clear();
    let left = REMOVED_PER_SESSION;
    for (const [principal, { at }] of this.#allowances) {
      if (left-- === 0 || now - at < 1_000) return;
      this.#allowances.delete(principal);
    }
  }
}

function monotonicNow(): number {
  return performance.now();
}
