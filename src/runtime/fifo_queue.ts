/** Fewer removed items aren't worth moving the others. */
const MIN_GAP = 32;

/**
 * A first-in, first-out queue. A head index makes `shift` fast: the others are
 * moved only when more than half of the array is unused.
 */
export class FifoQueue<Item> {
  readonly #items: (Item | undefined)[] = [];
  #head = 0;

  /** The number of items. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Returns the first item; `undefined` if the queue is empty. */
  peek(): Item | undefined {
    return this.#items[this.#head];
  }

  /** Returns the last items, in order. */
  last(count: number): Item[] {
    const start = this.#items.length - Math.min(count, this.size);
    return this.#items.slice(start) as Item[];
  }

  /** Adds an item at the end. */
  push(item: Item): void {
    this.#items.push(item);
  }

  /** Removes and returns the first item; `undefined` if the queue is empty. */
  shift(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    // Otherwise it would be kept until the others are moved.
    this.#items[this.#head++] = undefined;
    if (this.size === 0) this.clear();
    else if (this.#head > MIN_GAP && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Removes all items. */
  clear(): void {
    this.#items.length = 0;
    this.#head = 0;
  }
}
