interface SentBatch {
  readonly text: string;
  unackedBy: number;
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

  /** Adds a batch that a number of receivers must acknowledge. */
  add(seq: number, text: string, receivers: number): void {
    this.#batches.set(seq, { text, unackedBy: receivers });
    this.#length += text.length;
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
