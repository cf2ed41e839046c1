import { RecentBroadcasts } from "./recent_broadcasts.ts";
import type { SessionStream, SharedStreamState } from "./session_stream.ts";

/** Not worth tidying up for. */
const MIN_GAPS = 32;

/** The streams of sessions: by their ids, and in a row for texts to everyone. */
export class StreamRegistry implements SharedStreamState {
  readonly maxUnreadBytes: number;
  readonly recentBroadcasts: RecentBroadcasts = new RecentBroadcasts();
  /** By their places in the row. */
  readonly fastPathControllers:
    (ReadableStreamDefaultController | undefined)[] = [];
  cursor: number = Infinity;
  readonly #byId: Map<string, SessionStream> = new Map();
  /** Those that were removed have left a gap, until it is tidied up. */
  readonly #slots: (SessionStream | undefined)[] = [];

  /** @param maxUnread How many bytes of each may be unread. */
  constructor(maxUnread: number) {
    this.maxUnreadBytes = maxUnread;
  }

  /** How many there are. */
  get size(): number {
    return this.#byId.size;
  }

  /** All of them, and the gaps. */
  get slots(): readonly (SessionStream | undefined)[] {
    return this.#slots;
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
    const place = older?.slot ?? this.#slots.length;
    older?.leaveFastPath();
    stream.slot = place;
    this.#slots[place] = stream;
    this.fastPathControllers[place] = undefined;
    this.#byId.set(stream.id, stream);
  }

  /** Removes a stream. */
  delete(stream: SessionStream): void {
    stream.leaveFastPath();
    this.#byId.delete(stream.id);
    this.#slots[stream.slot] = undefined;
  }

  /** Has all streams find out what is unread: none needs the recent texts then. */
  refresh(now: number): void {
    for (const stream of this.#byId.values()) stream.refresh(now);
    this.recentBroadcasts.clear();
  }

  /** Closes the gaps where they are many. Not while somebody goes along the row. */
  compact(): void {
    const row = this.#slots;
    if (row.length <= 2 * this.#byId.size + MIN_GAPS) return;
    let length = 0;
    for (const stream of row) {
      if (stream === undefined) continue;
      this.fastPathControllers[length] = this.fastPathControllers[stream.slot];
      stream.slot = length;
      row[length++] = stream;
    }
    row.length = length;
    this.fastPathControllers.length = length;
  }
}
