import { type AddressedItem, type Batch, positionFor } from "./protocol.ts";

/** How many batches wait for one that is missing, before the rest is fetched. */
const MAX_HELD = 64;

/** What one node reads of another: each batch once, in its order. */
export class Inbox {
  readonly #node: string;
  readonly #held: Map<number, Batch> = new Map();
  /** What was read. */
  #number: number;
  /** What there is to read, as far as is known. */
  #newest: number;
  /** How many batches were read since the last acknowledgement. */
  #unacknowledged = 0;
  #isUrgent = false;
  #askedAt = -Infinity;
  #askedFor = -1;

  /**
   * @param node The reader.
   * @param after The number after which batches are for it.
   */
  constructor(node: string, after: number) {
    this.#node = node;
    this.#number = after;
    this.#newest = after;
  }

  /** The number of the newest batch that was read. */
  get number(): number {
    return this.#number;
  }

  /** Whether something is known to be there that was not read. */
  get isMissing(): boolean {
    return this.#number < this.#newest;
  }

  /** Somebody waits for the acknowledgement. */
  hurry(): void {
    this.#isUrgent = true;
  }

  /** Notes how far the sender is. */
  heardOf(newest: number): void {
    this.#newest = Math.max(this.#newest, newest);
  }

  /**
   * Takes a batch.
   *
   * @returns The items that can be read now, in their order.
   */
  take(batch: Batch): AddressedItem[] {
    this.heardOf(batch.number);
    if (batch.number <= this.#number) {
      // It was sent again: the sender does not know that it is here.
      this.#unacknowledged++;
      return [];
    }
    this.#isUrgent ||= batch.isUrgent === true;
    this.#held.set(batch.number, batch);
    const items: AddressedItem[] = [];
    for (
      let next = this.#next();
      next !== undefined;
      next = this.#next()
    ) {
      this.#held.delete(next.number);
      this.#number = next.number;
      this.#unacknowledged++;
      items.push(...this.#own(next.items));
    }
    if (this.#held.size > MAX_HELD) {
      this.#held.delete(Math.max(...this.#held.keys()));
    }
    return items;
  }

  /** Whether it is time for an acknowledgement, rather than for more to read. */
  isDue(window: number, now: number, patienceMs: number): boolean {
    if (this.isMissing) {
      // Once for each batch that is missing, and again when that was in vain.
      return this.#askedFor !== this.#number ||
        now - this.#askedAt >= patienceMs;
    }
    return this.#isUrgent || this.#unacknowledged >= window / 4;
  }

  /** Notes that an acknowledgement is on its way. */
  acknowledged(now: number): void {
    this.#unacknowledged = 0;
    this.#isUrgent = false;
    if (!this.isMissing) return;
    this.#askedAt = now;
    this.#askedFor = this.#number;
  }

  #next(): Batch | undefined {
    for (const batch of this.#held.values()) {
      if (batch.number <= this.#number) this.#held.delete(batch.number);
      else if (positionFor(this.#node, batch.after) <= this.#number) {
        return batch;
      }
    }
    return undefined;
  }

  #own(items: readonly AddressedItem[]): AddressedItem[] {
    return items.filter(({ only }) =>
      only === undefined || only === this.#node
    );
  }
}
