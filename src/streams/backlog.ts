interface Chunk {
  readonly bytes: number;
  /** What it counts in the stream's own measure. */
  readonly weight: number;
  readonly enqueuedAt: number;
}

/**
 * What a stream was given and has not handed on. `desiredSize` counts in a measure
 * of the stream's own, chunks by default, and counts what others enqueued as well;
 * this keeps what our chunks are in bytes, and takes as read what can no longer be
 * among the last ones.
 */
export class Backlog {
  readonly #chunks: Chunk[] = [];
  #head = 0;
  #weight = 0;
  #bytes = 0;
  #queuedSize = 0;
  #budget = Infinity;

  /** How many bytes of ours are unread, at most. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest unread chunk was enqueued. */
  get oldestAt(): number {
    return this.#chunks[this.#head]?.enqueuedAt ?? Infinity;
  }

  /**
   * Sets how many bytes may come in this turn: those that still fit.
   *
   * @param maxBytes How many may be unread.
   * @param fresh How many of them came in this turn. Without others the stream may
   * be given anything.
   */
  setBudget(maxBytes: number, fresh = 0): void {
    this.#budget = this.#bytes <= fresh ? Infinity : maxBytes - this.#bytes;
  }

  /** Takes from what may come; false if it is not enough. */
  consume(bytes: number): boolean {
    if (bytes > this.#budget) return false;
    this.#budget -= bytes;
    return true;
  }

  /**
   * Adds what was enqueued.
   *
   * @param bytes Its length.
   * @param since When.
   * @param held How much the stream holds now, in its own measure.
   */
  push(bytes: number, since: number, held: number): void {
    const weight = Math.max(held - this.#queuedSize, 0);
    this.#chunks.push({ bytes, weight, enqueuedAt: since });
    this.#weight += weight;
    this.#bytes += bytes;
    this.#queuedSize = held;
  }

  /**
   * Forgets what has been read.
   *
   * @param held How much the stream holds now, in its own measure.
   * @param now The time, for what others may have enqueued meanwhile.
   */
  update(held: number, now: number): void {
    // Somebody else's; we cannot know how many bytes, but it gets old as well.
    if (held > this.#queuedSize) this.push(0, now, held);
    this.#queuedSize = held;
    while (true) {
      const chunk = this.#chunks[this.#head];
      if (chunk === undefined || this.#weight - chunk.weight < held) break;
      this.#weight -= chunk.weight;
      this.#bytes -= chunk.bytes;
      this.#head++;
    }
    // Keeps the array from growing while the reader never quite catches up.
    if (this.#head > 64 && this.#head * 2 > this.#chunks.length) {
      this.#chunks.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
