/**
 * The maximum length of all messages in the send queue and the retransmit buffer
 * together, in characters.
 */
export const MAX_BUFFERED_LENGTH = 67_108_864;

interface SentBatch {
  text: string;
  readonly to: string | undefined;
  unackedBy: number;
  /** Whether another text has taken its place. */
  isReplaced: boolean;
}

/**
 * Serialized batches by sequence number. Each is kept until all of its receivers
 * have acknowledged it.
 */
export class RetransmitBuffer {
  readonly #batches: Map<number, SentBatch> = new Map();
  #length = 0;

  /** The length of all batches, in characters. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds a batch that a number of receivers must acknowledge.
   *
   * @param to The node that it was sent to; `undefined` for all.
   */
  add(
    seq: number,
    text: string,
    to: string | undefined,
    receivers: number,
  ): void {
    const unackedBy = receivers;
    this.#batches.set(seq, { text, to, unackedBy, isReplaced: false });
    this.#length += text.length;
  }

  /** Returns whether a batch is still needed. */
  has(seq: number): boolean {
    return this.#batches.has(seq);
  }

  /** Returns the node that a batch was sent to; `undefined` for all. */
  receiverOf(seq: number): string | undefined {
    return this.#batches.get(seq)?.to;
  }

  /** Replaces the text of a batch. */
  replace(seq: number, text: string): void {
    const batch = this.#batches.get(seq)!;
    this.#length += text.length - batch.text.length;
    batch.text = text;
    batch.isReplaced = true;
  }

  /** Returns whether the text of a batch was replaced. */
  isReplaced(seq: number): boolean {
    return this.#batches.get(seq)?.isReplaced === true;
  }

  /** Returns a batch that a receiver has not acknowledged. */
  get(seq: number): string {
    return this.#batches.get(seq)!.text;
  }

  /**
   * Releases a batch for one receiver that has acknowledged it, or that was
   * removed. The last receiver removes the batch.
   */
  release(seq: number): void {
    const batch = this.#batches.get(seq);
    if (batch === undefined || --batch.unackedBy > 0) return;
    this.#batches.delete(seq);
    this.#length -= batch.text.length;
  }

  /** Removes all batches. */
  clear(): void {
    this.#batches.clear();
    this.#length = 0;
  }
}
