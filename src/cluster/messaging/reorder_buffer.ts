import { type AddressedMessage, type Batch, seqFor } from "./protocol.ts";

/**
 * How many batches may wait for a missing one before they are dropped and
 * requested again.
 */
const MAX_OUT_OF_ORDER = 64;

/** Receives the batches of one node: each once, and in order. */
export class ReorderBuffer {
  readonly #node: string;
  readonly #outOfOrder: Map<number, Batch> = new Map();
  /** The last batch that was delivered. */
  #seq: number;
  /** The last batch that is known to exist. */
  #lastSeq: number;
  /** How many batches were delivered since the last acknowledgement. */
  #unacknowledged = 0;
  #isAckRequested = false;
  #nackedAt = -Infinity;
  #nackedSeq = -1;

  /**
   * @param node The receiver.
   * @param afterSeq The number after which batches are for it.
   */
  constructor(node: string, afterSeq: number) {
    this.#node = node;
    this.#seq = afterSeq;
    this.#lastSeq = afterSeq;
  }

  /** The number of the last batch that was delivered. */
  get seq(): number {
    return this.#seq;
  }

  /** Whether batches are known to be missing. */
  get hasGap(): boolean {
    return this.#seq < this.#lastSeq;
  }

  /** Someone waits for the acknowledgement. */
  requestAck(): void {
    this.#isAckRequested = true;
  }

  /** Records how far the sender is. */
  observe(lastSeq: number): void {
    this.#lastSeq = Math.max(this.#lastSeq, lastSeq);
  }

  /**
   * Adds a batch.
   *
   * @returns The messages that can be delivered now, in order.
   */
  receive(batch: Batch): AddressedMessage[] {
    this.observe(batch.seq);
    if (batch.seq <= this.#seq) {
      // A duplicate: the sender doesn't know that it has arrived.
      this.#unacknowledged++;
      return [];
    }
    this.#isAckRequested ||= batch.isAckRequested === true;
    this.#outOfOrder.set(batch.seq, batch);
    const messages: AddressedMessage[] = [];
    for (
      let next = this.#next();
      next !== undefined;
      next = this.#next()
    ) {
      this.#outOfOrder.delete(next.seq);
      this.#seq = next.seq;
      this.#unacknowledged++;
      messages.push(...this.#addressedHere(next.messages));
    }
    if (this.#outOfOrder.size > MAX_OUT_OF_ORDER) {
      this.#outOfOrder.delete(Math.max(...this.#outOfOrder.keys()));
    }
    return messages;
  }

  /** Returns whether an acknowledgement should be sent now. */
  isAckDue(window: number, now: number, retransmitTimeoutMs: number): boolean {
    if (this.hasGap) {
      // Requests each missing batch once, and again if that failed.
      return this.#nackedSeq !== this.#seq ||
        now - this.#nackedAt >= retransmitTimeoutMs;
    }
    return this.#isAckRequested || this.#unacknowledged >= window / 4;
  }

  /** Records that an acknowledgement is being sent. */
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

  #addressedHere(messages: readonly AddressedMessage[]): AddressedMessage[] {
    return messages.filter(({ only }) =>
      only === undefined || only === this.#node
    );
  }
}
