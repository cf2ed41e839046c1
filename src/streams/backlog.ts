import { FifoQueue } from "../runtime/fifo_queue.ts";

interface Chunk {
  readonly bytes: number;
  /** The size of a chunk in the stream's own unit. */
  readonly weight: number;
  readonly enqueuedAt: number;
}

/**
 * Tracks the bytes that a reader has not read. A stream's `desiredSize` has a
 * unit of its own (chunks by default) and includes what others enqueued. The
 * backlog stores the length of each of our chunks, and treats a chunk as read
 * when it can no longer be among the last ones.
 */
export class Backlog {
  readonly #chunks: FifoQueue<Chunk> = new FifoQueue();
  #weight = 0;
  #bytes = 0;
  #queuedSize = 0;
  #budget = Infinity;

  /** The number of our bytes that are unread, at most. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest unread chunk was enqueued. */
  get oldestAt(): number {
    return this.#chunks.peek()?.enqueuedAt ?? Infinity;
  }

  /**
   * Sets the byte budget of this turn: as many as still fit.
   *
   * @param maxBytes How many bytes may be unread.
   * @param bytesThisTurn How many of the unread bytes were written in this
   * turn. If there are no others, the budget is unlimited.
   */
  setBudget(maxBytes: number, bytesThisTurn = 0): void {
    this.#budget = this.#bytes <= bytesThisTurn
      ? Infinity
      : maxBytes - this.#bytes;
  }

  /** Takes bytes from the budget; returns false if it is too small. */
  consume(bytes: number): boolean {
    if (bytes > this.#budget) return false;
    this.#budget -= bytes;
    return true;
  }

  /**
   * Adds a chunk that was enqueued.
   *
   * @param bytes Its length.
   * @param enqueuedAt When it was enqueued.
   * @param queuedSize How much the stream holds now, in its own unit.
   */
  push(bytes: number, enqueuedAt: number, queuedSize: number): void {
    const weight = Math.max(queuedSize - this.#queuedSize, 0);
    this.#chunks.push({ bytes, weight, enqueuedAt });
    this.#weight += weight;
    this.#bytes += bytes;
    this.#queuedSize = queuedSize;
  }

  /**
   * Removes the chunks that were read.
   *
   * @param queuedSize How much the stream holds now, in its own unit.
   * @param now The current time, used for chunks that others enqueued.
   */
  update(queuedSize: number, now: number): void {
    // Enqueued by someone else: the length is unknown, but it ages as well.
    if (queuedSize > this.#queuedSize) this.push(0, now, queuedSize);
    this.#queuedSize = queuedSize;
    while (true) {
      const chunk = this.#chunks.peek();
      if (chunk === undefined || this.#weight - chunk.weight < queuedSize) {
        break;
      }
      this.#weight -= chunk.weight;
      this.#bytes -= chunk.bytes;
      this.#chunks.shift();
    }
  }
}
