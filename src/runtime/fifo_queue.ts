/**
 * A first-in, first-out queue. A head index makes `shift` fast: the array is
 * compacted only when more than half of it is unused.
 */
export class FifoQueue<Item> {
  #items: Item[] = [];
  #head = 0;

  /** The number of items. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Returns the first item; `undefined` if the queue is empty. */
  peek(): Item | undefined {
    return this.#items[this.#head];
  }

  /** Adds an item at the end. */
  push(item: Item): void {
    this.#items.push(item);
  }

  /** Removes and returns the first item; `undefined` if the queue is empty. */
  shift(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head++];
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Removes all items. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
