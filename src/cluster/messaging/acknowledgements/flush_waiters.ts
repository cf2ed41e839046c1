import { Deferred } from "../../../runtime/deferred.ts";

interface FlushWaiter {
  /** The receivers that must acknowledge; `undefined` for all. */
  readonly receivers: readonly string[] | undefined;
  readonly flushed: Deferred;
  /** How many receivers have not acknowledged. */
  missing: number;
}

/** A waiter, and the batch that a receiver must acknowledge for it. */
interface Awaited {
  readonly seq: number;
  readonly waiter: FlushWaiter;
}

/** Callers that wait until receivers have acknowledged everything they sent. */
export class FlushWaiters {
  /** Those whose messages were not sent yet. */
  #unsent: FlushWaiter[] = [];
  /** The others, in order, by the receivers that they wait for. */
  readonly #awaited: Map<string, Awaited[]> = new Map();

  /**
   * Resolves when receivers have acknowledged all batches up to the next call of
   * `onSent`.
   *
   * @param receivers Their names; `undefined` for all.
   */
  wait(receivers: readonly string[] | undefined): Promise<void> {
    const flushed = new Deferred();
    this.#unsent.push({ receivers, flushed, missing: 0 });
    return flushed.promise;
  }

  /**
   * Called when everything in the queue was sent.
   *
   * @param all The names of all receivers.
   * @param seqOf Returns the last batch that a receiver has not acknowledged;
   * `undefined` if there is none, or if it cannot respond.
   */
  onSent(
    all: () => Iterable<string>,
    seqOf: (receiver: string) => number | undefined,
  ): void {
    const waiters = this.#unsent;
    this.#unsent = [];
    for (const waiter of waiters) {
      for (const receiver of waiter.receivers ?? all()) {
        const seq = seqOf(receiver);
        if (seq === undefined) continue;
        waiter.missing++;
        const awaited = this.#awaited.get(receiver);
        if (awaited === undefined) {
          this.#awaited.set(receiver, [{ seq, waiter }]);
        } else awaited.push({ seq, waiter });
      }
      if (waiter.missing === 0) waiter.flushed.resolve();
    }
  }

  /** Called when a receiver has acknowledged all batches up to a number. */
  onAcknowledged(receiver: string, seq: number): void {
    const awaited = this.#awaited.get(receiver);
    if (awaited === undefined) return;
    let count = 0;
    while (count < awaited.length && awaited[count]!.seq <= seq) {
      const { waiter } = awaited[count++]!;
      if (--waiter.missing === 0) waiter.flushed.resolve();
    }
    if (count === awaited.length) this.#awaited.delete(receiver);
    else awaited.splice(0, count);
  }

  /** Called when a receiver is no longer waited for. */
  onGone(receiver: string): void {
    this.onAcknowledged(receiver, Infinity);
  }

  /** Resolves all waiters: no receivers are left. */
  resolveAll(): void {
    for (const { flushed } of this.#unsent) flushed.resolve();
    this.#unsent = [];
    for (const receiver of [...this.#awaited.keys()]) this.onGone(receiver);
  }
}
