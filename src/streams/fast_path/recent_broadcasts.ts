/** What must be remembered of a broadcast. */
export interface BroadcastRecord {
  readonly bytes: number;
  readonly endsFrame: boolean;
  /** The number of the turn of the event loop. */
  readonly turn: number;
  /** When it was sent, in the scheduler's time. */
  readonly now: number;
}

/** Sequence numbers stay small enough for runtimes to store them unboxed. */
const SEQ_MASK = 0x3fff_ffff;
/**
 * After this many broadcasts all streams are refreshed, however short the
 * frames are.
 */
const MAX_RECORDS = 4_096;

/**
 * The broadcasts since all streams were last refreshed. A stream on the fast
 * path reconstructs from them what it has not read, so that nothing has to be
 * asked of or stored for each stream when a broadcast is sent.
 */
export class RecentBroadcasts {
  #records: BroadcastRecord[] = [];
  #bytes = 0;
  #next = 0;
  #turn = -1;

  /** The number of the next broadcast. */
  get nextSeq(): number {
    return this.#next;
  }

  /** The turn of the last broadcast. */
  get lastTurn(): number {
    return this.#turn;
  }

  /**
   * Returns whether this many bytes may be added before all streams must be
   * refreshed.
   */
  hasCapacity(bytes: number, maxBytes: number): boolean {
    return this.#bytes + bytes <= maxBytes &&
      this.#records.length < MAX_RECORDS;
  }

  /** Adds a broadcast and returns its number. */
  add(record: BroadcastRecord): number {
    const number = this.#next;
    this.#records.push(record);
    this.#bytes += record.bytes;
    this.#turn = record.turn;
    this.#next = (number + 1) & SEQ_MASK;
    return number;
  }

  /** How many broadcasts there are, beginning with this one. */
  countSince(number: number): number {
    return (this.#next - number) & SEQ_MASK;
  }

  /** Returns the broadcast at an index, counted from another one. */
  recordAfter(number: number, count: number): BroadcastRecord {
    return this.#records.at(count - this.countSince(number))!;
  }

  /** Removes all records. */
  clear(): void {
    this.#records = [];
    this.#bytes = 0;
  }
}
