/**
 * When something was written, in microseconds, and by which node. No two writes
 * have the same timestamp.
 */
export type Timestamp = readonly [time: number, node: string];

/** Returns whether a write is newer than another one. */
export function isNewer(
  timestamp: Timestamp,
  other: Timestamp | undefined,
): boolean {
  if (other === undefined) return true;
  if (timestamp[0] !== other[0]) return timestamp[0] > other[0];
  return timestamp[1] > other[1];
}

/**
 * How far ahead of this node's clock a timestamp may be, in microseconds: a
 * day.
 */
const MAX_LEAD = 86_400_000_000;
/** How far the two clocks of a machine may differ, in microseconds. */
const MAX_DRIFT = 50_000;

/**
 * A hybrid logical clock: a write is newer than every write that its node had
 * seen, whatever the clocks of the machines say. Otherwise the clocks decide.
 */
export class HybridLogicalClock {
  readonly #node: string;
  #time = 0;

  /** @param node The node whose writes get the timestamps. */
  constructor(node: string) {
    this.#node = node;
  }

  /** Returns the timestamp of a write that happens now. */
  next(): Timestamp {
    this.#time = Math.max(microseconds(), this.#time + 1);
    return [this.#time, this.#node];
  }

  /** Records the timestamp of another node's write. */
  observe([time]: Timestamp): void {
    if (time < microseconds() + MAX_LEAD) {
      this.#time = Math.max(this.#time, time);
    }
  }
}

/**
 * The time of day, with microseconds, so that writes within a millisecond are
 * ordered.
 */
function microseconds(): number {
  const coarse = Date.now() * 1_000;
  const fine = Math.floor((performance.timeOrigin + performance.now()) * 1_000);
  // The fine clock doesn't notice when the machine sleeps or the time is set.
  return Math.abs(fine - coarse) < MAX_DRIFT ? fine : coarse;
}
