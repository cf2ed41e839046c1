import { RecentTexts } from "./recent_broadcasts.ts";
import type { Row, SessionStream } from "./session_stream.ts";

/** Not worth tidying up for. */
const FEW = 32;

/** The streams of sessions: by their ids, and in a row for texts to everyone. */
export class Roster implements Row {
  readonly maxUnread: number;
  readonly recent: RecentTexts = new RecentTexts();
  /** By their places in the row. */
  readonly calm: (ReadableStreamDefaultController | undefined)[] = [];
  reached: number = Infinity;
  readonly #byId: Map<string, SessionStream> = new Map();
  /** Those that were removed have left a gap, until it is tidied up. */
  readonly #row: (SessionStream | undefined)[] = [];

  /** @param maxUnread How many bytes of each may be unread. */
  constructor(maxUnread: number) {
    this.maxUnread = maxUnread;
  }

  /** How many there are. */
  get size(): number {
    return this.#byId.size;
  }

  /** All of them, and the gaps. */
  get row(): readonly (SessionStream | undefined)[] {
    return this.#row;
  }

  /** The sessions, the one that has been there longest first. */
  ids(): IterableIterator<string> {
    return this.#byId.keys();
  }

  /** The streams of these sessions. */
  values(): IterableIterator<SessionStream> {
    return this.#byId.values();
  }

  /** The stream of a session. */
  get(id: string): SessionStream | undefined {
    return this.#byId.get(id);
  }

  /** Adds a stream in the place of the one that the session has. */
  set(stream: SessionStream): void {
    const older = this.#byId.get(stream.id);
    const place = older?.place ?? this.#row.length;
    older?.rouse();
    stream.place = place;
    this.#row[place] = stream;
    this.calm[place] = undefined;
    this.#byId.set(stream.id, stream);
  }

  /** Removes a stream. */
  delete(stream: SessionStream): void {
    stream.rouse();
    this.#byId.delete(stream.id);
    this.#row[stream.place] = undefined;
  }

  /** Has all streams find out what is unread: none needs the recent texts then. */
  look(now: number): void {
    for (const stream of this.#byId.values()) stream.look(now);
    this.recent.clear();
  }

  /** Closes the gaps where they are many. Not while somebody goes along the row. */
  tidy(): void {
    const row = this.#row;
    if (row.length <= 2 * this.#byId.size + FEW) return;
    let length = 0;
    for (const stream of row) {
      if (stream === undefined) continue;
      this.calm[length] = this.calm[stream.place];
      stream.place = length;
      row[length++] = stream;
    }
    row.length = length;
    this.calm.length = length;
  }
}
