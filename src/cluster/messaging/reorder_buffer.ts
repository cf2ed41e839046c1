import { type AddressedMessage, type Batch, seqFor } from "./protocol.ts";

/** How many batches wait for one that is missing, before the rest is fetched. */
const MAX_OUT_OF_ORDER = 64;

/** What one node reads of another: each batch once, in its order. */
export class ReorderBuffer {
  readonly #node: string;
  readonly #outOfOrder: Map<number, Batch> = new Map();
  /** What was read. */
  #seq: number;
  /** What there is to read, as far as is known. */
  #lastSeq: number;
  /** How many batches were read since the last acknowledgement. */
  #unacknowledged = 0;
  #isAckRequested = false;
  #nackedAt = -Infinity;
  #nackedSeq = -1;

  /**
   * @param node The reader.
   * @param after The number after which batches are for it.
   */
  constructor(node: string, after: number) {
    this.#node = node;
    this.#seq = after;
    this.#lastSeq = after;
  }

  /** The number of the newest batch that was read. */
  get seq(): number {
    return this.#seq;
  }

  /** Whether something is known to be there that was not read. */
  get hasGap(): boolean {
    return this.#seq < this.#lastSeq;
  }

  /** Somebody waits for the acknowledgement. */
  requestAck(): void {
    this.#isAckRequested = true;
  }

  /** Notes how far the sender is. */
  observe(newest: number): void {
    this.#lastSeq = Math.max(this.#lastSeq, newest);
  }

  /**
   * Takes a batch.
   *
   * @returns The items that can be read now, in their order.
   */
  receive(batch: Batch): AddressedMessage[] {
    this.observe(batch.seq);
    if (batch.seq <= this.#seq) {
      // It was sent again: the sender does not know that it is here.
      this.#unacknowledged++;
      return [];
    }
    this.#isAckRequested ||= batch.isAckRequested === true;
    this.#outOfOrder.set(batch.seq, batch);
    const items: AddressedMessage[] = [];
    for (
      let next = this.#next();
      next !== undefined;
      next = this.#next()
    ) {
      this.#outOfOrder.delete(next.seq);
      this.#seq = next.seq;
      this.#unacknowledged++;
      items.push(...this.#addressedHere(next.messages));
    }
    if (this.#outOfOrder.size > MAX_OUT_OF_ORDER) {
      this.#outOfOrder.delete(Math.max(...this.#outOfOrder.keys()));
    }
    return items;
  }

  /** Whether it is time for an acknowledgement, rather than for more to read. */
  isAckDue(window: number, now: number, patienceMs: number): boolean {
    if (this.hasGap) {
      // Once for each batch that is missing, and again when that was in vain.
      return this.#nackedSeq !== this.#seq ||
        now - this.#nackedAt >= patienceMs;
    }
    return this.#isAckRequested || this.#unacknowledged >= window / 4;
  }

  /** Notes that an acknowledgement is on its way. */
  acknowledged(now: number): void {
    this.#unacknowledged = 0;
    this.#isAckRequested = false;
    if (!this.hasGap) return;
    this.#nackedAt = now;
    this.#nackedSeq = this.#seq;
  }

  #next(): Batch | undefined {
    for (const batch of this.#outOfOrder.values()) {
      if (batch.seq <= this.#seq) this.#outOfOrder.delete(batch.seq);
      else if (seqFor(this.#node, batch.prevSeq) <= this.#seq) {
        return batch;
      }
    }
    return undefined;
  }

  #addressedHere(items: readonly AddressedMessage[]): AddressedMessage[] {
    return items.filter(({ only }) =>
      only === undefined || only === this.#node
    );
  }
}
