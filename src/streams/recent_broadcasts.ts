/** What is to be known of a text later. */
export interface BroadcastRecord {
  readonly bytes: number;
  readonly endsFrame: boolean;
  /** Number of the turn of the event loop. */
  readonly turn: number;
  /** When, on the ticker's clock. */
  readonly now: number;
}

/** Numbers stay so small that a runtime keeps them without a box. */
const SEQ_MASK = 0x3fff_ffff;
/** So many are worth a look at all streams, however short they are. */
const MAX_RECORDS = 4_096;

/**
 * The texts that went to everyone since all streams were looked at last. What a
 * stream has not read can be told from them later on, so that nothing has to be
 * asked or noted of each stream when a text is sent.
 */
export class RecentBroadcasts {
  #texts: BroadcastRecord[] = [];
  #bytes = 0;
  #next = 0;
  #turn = -1;

  /** The number of the next one. */
  get nextSeq(): number {
    return this.#next;
  }

  /** The turn of the last one. */
  get lastTurn(): number {
    return this.#turn;
  }

  /** Whether as much may be added before all streams have to be looked at. */
  hasCapacity(bytes: number, maxBytes: number): boolean {
    return this.#bytes + bytes <= maxBytes && this.#texts.length < MAX_RECORDS;
  }

  /** Adds one, and gives it a number. */
  add(text: BroadcastRecord): number {
    const number = this.#next;
    this.#texts.push(text);
    this.#bytes += text.bytes;
    this.#turn = text.turn;
    this.#next = (number + 1) & SEQ_MASK;
    return number;
  }

  /** How many there are from one on. */
  countSince(number: number): number {
    return (this.#next - number) & SEQ_MASK;
  }

  /** The one that came so many after another. */
  recordAfter(number: number, count: number): BroadcastRecord {
    return this.#texts.at(count - this.countSince(number))!;
  }

  /** Forgets them. */
  clear(): void {
    this.#texts = [];
    this.#bytes = 0;
  }
}
