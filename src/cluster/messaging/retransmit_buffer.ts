interface Sent {
  readonly text: string;
  unackedBy: number;
}

/** What was sent, by number, and is kept until all of its readers have it. */
export class RetransmitBuffer {
  readonly #sent: Map<number, Sent> = new Map();
  #length = 0;

  /** How long they are together, in characters. */
  get length(): number {
    return this.#length;
  }

  /** Keeps one for some readers. */
  add(number: number, text: string, readers: number): void {
    this.#sent.set(number, { text, unackedBy: readers });
    this.#length += text.length;
  }

  /** One that somebody has not read. */
  text(number: number): string {
    return this.#sent.get(number)!.text;
  }

  /** One of its readers has it, or has left. */
  release(number: number): void {
    const sent = this.#sent.get(number);
    if (sent === undefined || --sent.unackedBy > 0) return;
    this.#sent.delete(number);
    this.#length -= sent.text.length;
  }

  /** Forgets them all. */
  clear(): void {
    this.#sent.clear();
    this.#length = 0;
  }
}
