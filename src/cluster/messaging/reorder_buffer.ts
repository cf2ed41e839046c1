import {
  type AddressedMessage,
  type Batch,
  isRequestedOf,
  seqFor,
} from "./protocol.ts";

/**
 * How many batches may wait for a missing one. If there are more, the last ones
 * are dropped, and retransmitted later.
 */
const MAX_OUT_OF_ORDER = 64;
/** How long fragments that arrive may delay a nack, in milliseconds. */
const MAX_NACK_DELAY_MS = 1_000;

/**
 * Puts the batches of one sender in order: drops duplicates, and holds batches
 * back while an earlier one is missing.
 */
export class ReorderBuffer {
  readonly #node: string;
  readonly #outOfOrder: Map<number, Batch> = new Map();
  #seq: number;
  /** The last batch that the sender is known to have sent. */
  #lastSeq: number;
  /** How many batches arrived since the last acknowledgement. */
  #unacknowledged = 0;
  #isAckRequested = false;
  #nackedAt = -Infinity;
  /** Batches after this one were requested by the last nack. */
  #nackedSeq = -1;
  /** The same for the nack that fragments delay, and since when they do. */
  #delayedSeq = -1;
  #delayedAt = -Infinity;

  /**
   * @param node The name of this node, the receiver.
   * @param afterSeq The sequence number after which batches are for it.
   */
  constructor(node: string, afterSeq: number) {
    this.#node = node;
    this.#seq = afterSeq;
    this.#lastSeq = afterSeq;
  }

  /** The sequence number of the last batch that was delivered. */
  get seq(): number {
    return this.#seq;
  }

  /** Whether the sender is known to have sent batches that are missing. */
  get hasGap(): boolean {
    return this.#seq < this.#lastSeq;
  }

  /** Returns whether a batch has not arrived yet. */
  isMissing(seq: number): boolean {
    return seq > this.#seq && !this.#outOfOrder.has(seq);
  }

  /**
   * Called when a fragment of a missing batch has arrived. The rest is on its
   * way, so it is not requested again yet.
   */
  onFragment(seq: number, now: number): void {
    this.observe(seq);
    if (this.#delayedSeq !== this.#seq) {
      this.#delayedSeq = this.#seq;
      this.#delayedAt = now;
    }
    // An earlier batch may be missing as well.
    if (now - this.#delayedAt > MAX_NACK_DELAY_MS) return;
    this.#nackedSeq = this.#seq;
    this.#nackedAt = now;
  }

  /** Records that a batch arrived again. */
  onDuplicate(): void {
    this.#unacknowledged++;
  }

  /** Makes the next acknowledgement urgent. */
  requestAck(): void {
    this.#isAckRequested = true;
  }

  /** Records the sequence number of the last batch that was sent. */
  observe(lastSeq: number): void {
    this.#lastSeq = Math.max(this.#lastSeq, lastSeq);
  }

  /**
   * Receives a batch.
   *
   * @returns The messages for this node that can be delivered now, in order.
   */
  receive(batch: Batch): AddressedMessage[] {
    this.observe(batch.seq);
    if (batch.seq <= this.#seq) {
      // The acknowledgement was late or got lost.
      this.onDuplicate();
      return [];
    }
    this.#isAckRequested ||= isRequestedOf(batch, this.#node);
    this.#outOfOrder.set(batch.seq, batch);
    const messages: AddressedMessage[] = [];
    for (
      let next = this.#takeNext();
      next !== undefined;
      next = this.#takeNext()
    ) {
      this.#seq = next.seq;
      this.#unacknowledged++;
      for (const message of next.messages) {
        const { only = this.#node } = message;
        if (only === this.#node) messages.push(message);
      }
    }
    if (this.#outOfOrder.size > MAX_OUT_OF_ORDER) {
      this.#outOfOrder.delete(Math.max(...this.#outOfOrder.keys()));
    }
    return messages;
  }

  /**
   * Returns whether an acknowledgement must not be delayed: a nack for a gap, an
   * acknowledgement that the sender requested, or one for a quarter of the send
   * window.
   */
  isAckUrgent(window: number, now: number, nackRetryMs: number): boolean {
    if (this.hasGap) {
      const isNewGap = this.#nackedSeq !== this.#seq;
      return isNewGap || now - this.#nackedAt >= nackRetryMs;
    }
    return this.#isAckRequested || this.#unacknowledged >= window / 4;
  }

  /** Called when an acknowledgement is sent; it is a nack if there is a gap. */
  onAckSent(now: number): void {
    this.#unacknowledged = 0;
    this.#isAckRequested = false;
    if (!this.hasGap) return;
    this.#nackedAt = now;
    this.#nackedSeq = this.#seq;
  }

  /** Removes and returns the next batch; `undefined` if it is missing. */
  #takeNext(): Batch | undefined {
    for (const batch of this.#outOfOrder.values()) {
      if (batch.seq <= this.#seq) this.#outOfOrder.delete(batch.seq);
      else if (seqFor(this.#node, batch.prevSeq) <= this.#seq) {
        this.#outOfOrder.delete(batch.seq);
        return batch;
      }
    }
    return undefined;
  }
}
