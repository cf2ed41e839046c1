/**
 * When something was written, in microseconds, and by which node: no two writes have
 * the same.
 */
export type Timestamp = readonly [time: number, node: string];

/** Whether a write is newer than another one. */
export function isNewer(
  stamp: Timestamp,
  other: Timestamp | undefined,
): boolean {
  if (other === undefined) return true;
  if (stamp[0] !== other[0]) return stamp[0] > other[0];
  return stamp[1] > other[1];
}

/** How far a clock may be ahead, in microseconds, and still be believed: a day. */
const MAX_LEAD = 86_400_000_000;
/** How far the two clocks of a machine may be apart, in microseconds. */
const MAX_DRIFT = 50_000;

/**
 * A hybrid logical clock: what is written after another write was seen is newer,
 * whatever the clocks of the machines say; otherwise they decide.
 */
export class HybridLogicalClock {
  readonly #node: string;
  #time = 0;

  /** @param node Whose writes it stamps. */
  constructor(node: string) {
    this.#node = node;
  }

  /** The stamp of a write that happens now. */
  next(): Timestamp {
    this.#time = Math.max(microseconds(), this.#time + 1);
    return [this.#time, this.#node];
  }

  /** Notes that a write was seen. */
  observe([time]: Timestamp): void {
    if (time < microseconds() + MAX_LEAD) {
      this.#time = Math.max(this.#time, time);
    }
  }
}

/** The time of day: what comes one after the other within a millisecond has one. */
function microseconds(): number {
  const coarse = Date.now() * 1_000;
  const fine = Math.floor((performance.timeOrigin + performance.now()) * 1_000);
  // The finer clock does not notice when the machine sleeps, or its clock is set.
  return Math.abs(fine - coarse) < MAX_DRIFT ? fine : coarse;
}
