import { isTransientError } from "../connection/redis_errors.ts";

/** A write: it returns what Redis answers. */
type Write<Result> = () => Promise<Result>;

/**
 * Writes to repeat when Redis is back: the newest one for each field of a
 * session, in the order in which they were made.
 */
export class PendingWrites {
  readonly #bySession: Map<string, Map<string, Write<unknown>>> = new Map();

  /**
   * Makes a write now, or queues it until Redis is back. It replaces a queued
   * write to the same field.
   *
   * @returns The answer of Redis; `undefined` if the write is queued.
   */
  async runOrQueue<Result>(
    id: string,
    field: string,
    write: Write<Result>,
  ): Promise<Result | undefined> {
    const queued = this.#bySession.get(id);
    queued?.delete(field);
    if (queued?.size === 0) this.#bySession.delete(id);
    try {
      return await write();
    } catch (error) {
      if (!isTransientError(error)) throw error;
      const queue = this.#bySession.get(id) ?? new Map();
      // Moves it to the end: writes are repeated in order.
      queue.delete(field);
      this.#bySession.set(id, queue.set(field, write));
      return undefined;
    }
  }

  /** Makes the queued writes. Those that fail again are kept. */
  async repeat(): Promise<void> {
    for (const [id, queued] of [...this.#bySession]) {
      for (const [field, write] of [...queued]) {
        // Unless something newer was queued meanwhile.
        const isDue = this.#bySession.get(id)?.get(field) === write;
        if (isDue) await this.runOrQueue(id, field, write);
      }
    }
  }

  /** Drops the writes to a session. */
  delete(id: string): void {
    this.#bySession.delete(id);
  }

  /** Drops all writes. */
  clear(): void {
    this.#bySession.clear();
  }
}
