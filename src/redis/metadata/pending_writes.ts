import { inChunks } from "../../runtime/chunks.ts";
import { isTransientError } from "../connection/redis_errors.ts";

/** The name of the write that ends a session. */
export const ENDED = "";
/** How many writes are made at once. */
const CONCURRENCY = 500;

/** A write: it returns what Redis answers. */
type Write<Result> = () => Promise<Result>;

/**
 * Writes to repeat when Redis is back: the newest one for each field of a
 * session, in the order in which they were made.
 */
export class PendingWrites {
  readonly #bySession: Map<string, Map<string, Write<unknown>>> = new Map();

  readonly #report: (error: unknown) => void;

  /** @param report Called with the errors of repeated writes. */
  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

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
    this.#remove(id, field);
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

  /** Returns how many writes to a session are queued. */
  count(id: string): number {
    return this.#bySession.get(id)?.size ?? 0;
  }

  /** Returns whether a write is queued. */
  has(id: string, field: string): boolean {
    return this.#bySession.get(id)?.has(field) === true;
  }

  /**
   * Makes the queued writes. Those that fail again are kept.
   *
   * @param first The field to write first, for all sessions that did not end.
   */
  async repeat(first: string): Promise<void> {
    const ids = [...this.#bySession.keys()];
    await this.#each(
      ids.filter((id) => this.has(id, first) && !this.has(id, ENDED)),
      (id) => this.#repeat(id, [first]),
    );
    await this.#each(
      ids,
      (id) => this.#repeat(id, [...this.#bySession.get(id)?.keys() ?? []]),
    );
  }

  async #each(
    ids: readonly string[],
    repeat: (id: string) => Promise<void>,
  ): Promise<void> {
    for (const chunk of inChunks(ids, CONCURRENCY)) {
      const results = await Promise.allSettled(chunk.map(repeat));
      for (const result of results) {
        if (result.status === "rejected") this.#report(result.reason);
      }
    }
  }

  /** Makes some of the queued writes of a session, in order. */
  async #repeat(id: string, fields: readonly string[]): Promise<void> {
    for (const field of fields) {
      const write = this.#bySession.get(id)?.get(field);
      if (write === undefined) continue;
      // It stays queued until Redis has it, unless something newer is queued.
      try {
        await write();
        if (this.#bySession.get(id)?.get(field) === write) {
          this.#remove(id, field);
        }
      } catch (error) {
        if (isTransientError(error)) return;
        this.#remove(id, field);
        throw error;
      }
    }
  }

  #remove(id: string, field: string): void {
    const queued = this.#bySession.get(id);
    queued?.delete(field);
    if (queued?.size === 0) this.#bySession.delete(id);
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
