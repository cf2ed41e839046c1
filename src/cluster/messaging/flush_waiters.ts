import { Deferred } from "../../runtime/deferred.ts";

interface FlushWaiter {
  /** The batch that must be acknowledged; `undefined` until it is sent. */
  seq: number | undefined;
  readonly flushed: Deferred;
}

/** Callers that wait until everything they sent was acknowledged. */
export class FlushWaiters {
  readonly #waiters: Set<FlushWaiter> = new Set();

  /**
   * Resolves when all batches up to the next call of `onSent` were acknowledged.
   */
  wait(): Promise<void> {
    const flushed = new Deferred();
    this.#waiters.add({ seq: undefined, flushed });
    return flushed.promise;
  }

  /** Called when everything in the queue was sent. */
  onSent(lastSeq: number): void {
    for (const waiter of this.#waiters) waiter.seq ??= lastSeq;
  }

  /** Called when all batches up to a sequence number were acknowledged. */
  onAcknowledged(seq: number): void {
    for (const waiter of this.#waiters) {
      if (waiter.seq === undefined || waiter.seq > seq) continue;
      this.#waiters.delete(waiter);
      waiter.flushed.resolve();
    }
  }

  /** Resolves all waiters: no receivers are left. */
  resolveAll(): void {
    for (const { flushed } of this.#waiters) flushed.resolve();
    this.#waiters.clear();
  }
}
