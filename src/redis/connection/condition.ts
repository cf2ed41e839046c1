/** Lets those go on who wait for something to happen. */
export class Signal {
  readonly #waiting: Set<() => void> = new Set();

  /** Resolves when it happens the next time. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** It has happened. */
  fire(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
