import { BroadcastFastPath } from "./fast_path/broadcast_fast_path.ts";
import type { SessionStream } from "./session_stream.ts";

/** Below this size, compaction isn't worth it. */
const MIN_GAPS = 32;

/** The streams of this process: by session ID, and in slots for broadcasts. */
export class StreamRegistry {
  /** Writes broadcasts to most streams without visiting them. */
  readonly fastPath: BroadcastFastPath;
  readonly #byId: Map<string, SessionStream> = new Map();
  /** Removed streams leave a gap until the slots are compacted. */
  readonly #slots: (SessionStream | undefined)[] = [];

  /** @param maxUnreadBytes How many bytes of each stream may be unread. */
  constructor(maxUnreadBytes: number) {
    this.fastPath = new BroadcastFastPath(maxUnreadBytes);
  }

  /** How many streams there are. */
  get size(): number {
    return this.#byId.size;
  }

  /** All streams, with gaps. */
  get slots(): readonly (SessionStream | undefined)[] {
    return this.#slots;
  }

  /** The session IDs, in the order in which they were attached. */
  ids(): IterableIterator<string> {
    return this.#byId.keys();
  }

  /** Returns the streams of these sessions. */
  values(): IterableIterator<SessionStream> {
    return this.#byId.values();
  }

  /** Returns the stream of a session. */
  get(id: string): SessionStream | undefined {
    return this.#byId.get(id);
  }

  /** Adds a stream, replacing the session's older one. */
  set(stream: SessionStream): void {
    const older = this.#byId.get(stream.id);
    const slot = older?.slot ?? this.#slots.length;
    older?.leaveFastPath();
    stream.slot = slot;
    this.#slots[slot] = stream;
    this.fastPath.set(slot, undefined);
    this.#byId.set(stream.id, stream);
  }

  /** Removes a stream. */
  delete(stream: SessionStream): void {
    stream.leaveFastPath();
    this.#byId.delete(stream.id);
    this.#slots[stream.slot] = undefined;
  }

  /**
   * Lets all streams find out what is unread, and drops the recent broadcasts.
   */
  refresh(now: number): void {
    for (const stream of this.#byId.values()) stream.refresh(now);
    this.fastPath.broadcasts.clear();
  }

  /** Closes the gaps if there are many. Must not run during a broadcast. */
  compact(): void {
    const slots = this.#slots;
    if (slots.length <= 2 * this.#byId.size + MIN_GAPS) return;
    let length = 0;
    for (const stream of slots) {
      if (stream === undefined) continue;
      this.fastPath.move(stream.slot, length);
      stream.slot = length;
      slots[length++] = stream;
    }
    slots.length = length;
    this.fastPath.truncate(length);
  }
}
