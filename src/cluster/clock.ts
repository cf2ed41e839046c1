/** When something was written, and by which node: no two writes have the same. */
export type Stamp = readonly [time: number, node: string];

/** Whether a write is newer than another one. */
export function isNewer(stamp: Stamp, other: Stamp | undefined): boolean {
  if (other === undefined) return true;
  if (stamp[0] !== other[0]) return stamp[0] > other[0];
  return stamp[1] > other[1];
}

/** How far a clock may be ahead, in milliseconds, and still be believed: a day. */
const MAX_LEAD_MS = 86_400_000;

/**
 * A hybrid logical clock: what is written after another write was seen is newer,
 * whatever the clocks of the machines say; otherwise they decide.
 */
export class Clock {
  readonly #node: string;
  #time = 0;

  /** @param node Whose writes it stamps. */
  constructor(node: string) {
    this.#node = node;
  }

  /** The stamp of a write that happens now. */
  next(): Stamp {
    this.#time = Math.max(Date.now(), this.#time + 1);
    return [this.#time, this.#node];
  }

  /** Notes that a write was seen. */
  saw([time]: Stamp): void {
    if (time < Date.now() + MAX_LEAD_MS) {
      this.#time = Math.max(this.#time, time);
    }
  }
}
