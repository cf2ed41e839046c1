/** Lets those go on who wait for something to happen. */
export class Condition {
  readonly #waiting: Set<() => void> = new Set();

  /** Resolves when it happens the next time. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** It has happened. */
  notifyAll(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
