interface FlushWaiter {
  /** The batch that must be received; unknown until it is sent. */
  seq: number | undefined;
  readonly resolve: () => void;
}

/** Callers that wait until everything they sent was received. */
export class FlushWaiters {
  readonly #waiting: Set<FlushWaiter> = new Set();

  /**
   * Resolves when everything was received that is sent up to the next call of
   * `onSent`.
   */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add({ seq: undefined, resolve });
    });
  }

  /** Everything up to a batch was sent. */
  sent(seq: number): void {
    for (const waiter of this.#waiting) waiter.seq ??= seq;
  }

  /** Everything up to a batch was received. */
  read(seq: number): void {
    for (const waiter of this.#waiting) {
      const { seq: awaited, resolve } = waiter;
      if (awaited === undefined || awaited > seq) continue;
      this.#waiting.delete(waiter);
      resolve();
    }
  }

  /** No receivers are left. */
  release(): void {
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
