import type { Entry } from "./entry.ts";

/** Fewer removed events aren't worth moving the others. */
const MIN_GAP = 32;

/** A stored event, or one that was dropped from among the others. */
type Slot = Entry | { readonly offset: number; readonly frame?: undefined };

/** Replaces the events at the front that were removed. */
const REMOVED: Slot = { offset: 0 };

/**
 * Events in the order of their offsets. Those at the front are removed, and
 * single ones anywhere. Both are fast: the others are moved only when more than
 * half of the array is unused.
 */
export class EventQueue {
  /** In the order of their offsets, from the head on. */
  #slots: Slot[] = [];
  #head = 0;
  #size = 0;

  /** The number of events. */
  get size(): number {
    return this.#size;
  }

  /** Adds an event at the end. */
  push(entry: Entry): void {
    this.#slots.push(entry);
    this.#size++;
  }

  /** Returns the first event. */
  peek(): Entry | undefined {
    for (; this.#head < this.#slots.length; this.#head++) {
      const slot = this.#slots[this.#head]!;
      if (slot.frame !== undefined) return slot;
    }
    return undefined;
  }

  /** Removes the first event. */
  shift(): void {
    if (this.peek() === undefined) return;
    // Otherwise it would be kept until the others are moved.
    this.#slots[this.#head++] = REMOVED;
    this.#size--;
    this.#compact();
  }

  /**
   * Removes the first event with an offset of at least this that passes a test,
   * and returns it.
   */
  remove(
    offset: number,
    isWanted: (entry: Entry) => boolean,
  ): Entry | undefined {
    for (let at = this.#indexOf(offset); at < this.#slots.length; at++) {
      const slot = this.#slots[at]!;
      if (slot.frame === undefined || !isWanted(slot)) continue;
      this.#slots[at] = { offset: slot.offset };
      this.#size--;
      this.#compact();
      return slot;
    }
    return undefined;
  }

  /** Returns the events after an offset that pass a test. */
  after(offset: number, isWanted: (entry: Entry) => boolean): Entry[] {
    const entries: Entry[] = [];
    const { length } = this.#slots;
    for (let at = this.#indexOf(offset + 1); at < length; at++) {
      const slot = this.#slots[at]!;
      if (slot.frame !== undefined && isWanted(slot)) entries.push(slot);
    }
    return entries;
  }

  /** Returns the index of the first slot with an offset of at least this. */
  #indexOf(offset: number): number {
    let [low, high] = [this.#head, this.#slots.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#slots[middle]!.offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compact(): void {
    const { length } = this.#slots;
    const unused = length - this.#size;
    if (unused <= MIN_GAP || unused * 2 <= length) return;
    if (unused === this.#head) this.#slots.splice(0, unused);
    else this.#slots = this.#slots.filter(({ frame }) => frame !== undefined);
    this.#head = 0;
  }
}
