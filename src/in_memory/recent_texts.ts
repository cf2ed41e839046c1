/** What is to be known of a text later. */
export interface RecentText {
  readonly bytes: number;
  readonly endsFrame: boolean;
  /** Number of the turn of the event loop. */
  readonly turn: number;
  /** When, on the ticker's clock. */
  readonly now: number;
}

/** Numbers stay so small that a runtime keeps them without a box. */
const MASK = 0x3fff_ffff;
/** So many are worth a look at all streams, however short they are. */
const MANY = 4_096;

const NONE: readonly RecentText[] = [];

/**
 * The texts that went to everyone since all streams were looked at last. What a
 * stream has not read can be told from them later on, so that nothing has to be
 * asked or noted of each stream when a text is sent.
 */
export class RecentTexts {
  #texts: RecentText[] = [];
  #bytes = 0;
  #next = 0;
  #turn = -1;
  #asked = NONE;

  /** The number of the next one. */
  get next(): number {
    return this.#next;
  }

  /** The turn of the last one. */
  get turn(): number {
    return this.#turn;
  }

  /** Whether as much may be added before all streams have to be looked at. */
  hasRoom(bytes: number, maxBytes: number): boolean {
    return this.#bytes + bytes <= maxBytes && this.#texts.length < MANY;
  }

  /** Adds one, and gives it a number. */
  add(text: RecentText): number {
    const number = this.#next;
    this.#texts.push(text);
    this.#bytes += text.bytes;
    this.#turn = text.turn;
    this.#next = (number + 1) & MASK;
    this.#asked = NONE;
    return number;
  }

  /** Those from one on. Most streams ask for the same. */
  since(first: number): readonly RecentText[] {
    const count = (this.#next - first) & MASK;
    if (count === 0) return NONE;
    if (this.#asked.length !== count) this.#asked = this.#texts.slice(-count);
    return this.#asked;
  }

  /** Forgets them. */
  clear(): void {
    this.#texts = [];
    this.#bytes = 0;
    this.#asked = NONE;
  }
}
