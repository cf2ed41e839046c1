/** A condition variable: callers wait until something happens. */
export class Condition {
  readonly #waiting: Set<() => void> = new Set();

  /** Resolves the next time that it happens. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** Resolves all waiting callers. */
  notifyAll(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
