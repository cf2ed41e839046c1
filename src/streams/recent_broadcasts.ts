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
    return number;
  }

  /** How many there are from one on. */
  countFrom(number: number): number {
    return (this.#next - number) & MASK;
  }

  /** The one that came so many after another. */
  after(number: number, count: number): RecentText {
    return this.#texts.at(count - this.countFrom(number))!;
  }

  /** Forgets them. */
  clear(): void {
    this.#texts = [];
    this.#bytes = 0;
  }
}
