import { atEndOfTurn, nextTurn } from "./end_of_turn.ts";

/** How long a slice may hold the event loop, in milliseconds. */
const SLICE_MS = 5;
/** Reading the clock takes as long as several small steps. */
const STEPS_PER_CHECK = 16;

/** A part of long work, short enough that other events don't wait for it. */
export class Slice {
  readonly #endsAt: number = performance.now() + SLICE_MS;
  #stepsLeft = STEPS_PER_CHECK;
  #isOver = false;

  /** Whether the slice was over at the last check. */
  get wasOver(): boolean {
    return this.#isOver;
  }

  /** Checks whether the slice is over. Call it before each step. */
  isOver(): boolean {
    if (this.#isOver || --this.#stepsLeft > 0) return this.#isOver;
    this.#stepsLeft = STEPS_PER_CHECK;
    return this.#isOver = performance.now() >= this.#endsAt;
  }
}

/**
 * A sweep of any length. The first slice runs at once, and the others in later
 * turns of the event loop, until everything is done.
 */
export class SlicedSweep {
  readonly #sweep: (now: number, slice: Slice) => void;
  #isPending = false;

  /** @param sweep Does a part of the work, until it is done or the slice over. */
  constructor(sweep: (now: number, slice: Slice) => void) {
    this.#sweep = sweep;
  }

  /** Starts the sweep. Does nothing if it is under way. */
  run(now: number): void {
    if (this.#isPending) return;
    const slice = new Slice();
    this.#sweep(now, slice);
    if (!slice.wasOver) return;
    this.#isPending = true;
    atEndOfTurn(() => {
      this.#isPending = false;
      this.run(now);
    });
  }
}

/** Calls a function with each item, in slices. The first one runs at once. */
export async function forEachInSlices<Item>(
  items: Iterable<Item>,
  call: (item: Item) => void,
): Promise<void> {
  let slice = new Slice();
  for (const item of items) {
    if (slice.isOver()) {
      await nextTurn();
      slice = new Slice();
    }
    call(item);
  }
}
