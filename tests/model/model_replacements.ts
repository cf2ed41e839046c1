/** The replacements of each session's stream. */
export class ModelReplacements {
  readonly #times: Map<string, number[]> = new Map();

  /** Records one; returns whether it must be reported. */
  add(id: string, now: number): boolean {
    const times = this.#isOver(id, now) ? [] : this.#times.get(id) ?? [];
    this.#times.set(id, [...times, now]);
    return times.length === 10;
  }

  /** Returns the texts that a new stream starts with. */
  start(id: string, now: number): string[] {
    const delay = this.#delay(id);
    if (this.#isOver(id, now)) this.#times.delete(id);
    if (delay === 0) return [];
    return [`retry: ${this.#times.has(id) ? delay : 1_000}\n\n`];
  }

  #delay(id: string): number {
    const { length } = this.#times.get(id) ?? [];
    return length > 10 ? Math.min(1_000 * 2 ** (length - 11), 30_000) : 0;
  }

  #isOver(id: string, now: number): boolean {
    const last = this.#times.get(id)?.at(-1) ?? -Infinity;
    return now - last > 10_000 + 2 * this.#delay(id);
  }
}
