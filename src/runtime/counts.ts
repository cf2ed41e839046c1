/** Counts by key. Keys whose count is 0 take no memory. */
export class Counts {
  readonly #counts: Map<string, number> = new Map();

  /** Returns the count of a key. */
  get(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** Changes the count of a key. */
  add(key: string, change: 1 | -1): void {
    const count = this.get(key) + change;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }
}
