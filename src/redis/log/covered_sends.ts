/**
 * For sessions that resumed on this node: the last event of this node that they
 * have, or that their client knows to be missing. Without the log, this node
 * must not write such events to their streams again.
 */
export class CoveredSends {
  readonly #seqs: Map<string, number> = new Map();

  /** Records the sequence number of that event. */
  set(id: string, seq: number): void {
    if (seq > 0) this.#seqs.set(id, seq);
  }

  /**
   * Returns which sessions must not get an event again; `undefined` if all may.
   *
   * @param seq The sequence number of the event.
   */
  without(seq: number): ((id: string) => boolean) | undefined {
    if (this.#seqs.size === 0) return undefined;
    return (id) => seq <= (this.#seqs.get(id) ?? 0);
  }

  /** Forgets sessions for which only older events count. */
  forgetBefore(seq: number): void {
    for (const [id, covered] of this.#seqs) {
      if (covered < seq) this.#seqs.delete(id);
    }
  }
}
