interface Sent {
  readonly text: string;
  unackedBy: number;
}

/**
 * Serialized batches by number, kept until all of their receivers have
 * acknowledged them.
 */
export class RetransmitBuffer {
  readonly #sent: Map<number, Sent> = new Map();
  #length = 0;

  /** The total length, in characters. */
  get length(): number {
    return this.#length;
  }

  /** Keeps a batch for some receivers. */
  add(seq: number, text: string, receivers: number): void {
    this.#sent.set(seq, { text, unackedBy: receivers });
    this.#length += text.length;
  }

  /** Returns a batch. */
  text(seq: number): string {
    return this.#sent.get(seq)!.text;
  }

  /** A receiver has acknowledged a batch, or has left. */
  release(seq: number): void {
    const sent = this.#sent.get(seq);
    if (sent === undefined || --sent.unackedBy > 0) return;
    this.#sent.delete(seq);
    this.#length -= sent.text.length;
  }

  /** Removes all batches. */
  clear(): void {
    this.#sent.clear();
    this.#length = 0;
  }
}
