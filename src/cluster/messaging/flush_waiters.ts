interface FlushWaiter {
  /** The batch to be read; not known before it is sent. */
  seq: number | undefined;
  readonly resolve: () => void;
}

/** Those who wait until what they have sent was read. */
export class FlushWaiters {
  readonly #waiting: Set<FlushWaiter> = new Set();

  /** Resolves when all was read that is sent from now on until `sent`. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add({ seq: undefined, resolve });
    });
  }

  /** All that anybody waits for was sent, up to a batch. */
  sent(number: number): void {
    for (const settlement of this.#waiting) settlement.seq ??= number;
  }

  /** All was read up to a batch. */
  read(number: number): void {
    for (const settlement of this.#waiting) {
      const { seq: awaited, resolve } = settlement;
      if (awaited === undefined || awaited > number) continue;
      this.#waiting.delete(settlement);
      resolve();
    }
  }

  /** Nobody is there to read anything. */
  release(): void {
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
