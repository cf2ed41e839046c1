import { Backlog } from "./backlog.ts";
import { isByteController } from "./controllers.ts";
import type { FrameBatch, FrameBatcher } from "./frame_batch.ts";
import type { BroadcastRecord, RecentBroadcasts } from "./recent_broadcasts.ts";
import type { EnqueueResult, Frame } from "./frame.ts";

/**
 * For how many milliseconds after a turn with several texts the next ones are
 * expected to come in company as well. A write of its own for the first of them
 * would cost the server as much as that for all the others.
 */
const BUSY_MS = 1_000;
/** A stream that has room for more than so many counts no chunks, most likely. */
const MAX_CHUNK_CAPACITY = 64;

/** What the streams of a process have together. */
export interface SharedStreamState {
  /** How many bytes of each may be unread. */
  readonly maxUnreadBytes: number;
  /** The texts that went to everyone. */
  readonly recentBroadcasts: RecentBroadcasts;
  /** The place that the last of them has come to, while it is on its way. */
  readonly cursor: number;
  /** The controllers of the streams that take them as they come, by their places. */
  readonly fastPathControllers: (ReadableStreamDefaultController | undefined)[];
}

/**
 * The stream of a session: writes to it, and knows how much of that is unread.
 *
 * Nearly always a reader has read all there is. The way of such a stream is short:
 * one look at `desiredSize`, a few small numbers (which cost less to store than a
 * reference or a fraction), and the text is enqueued. Only a stream that still holds
 * something then gets a {@linkcode Backlog}.
 *
 * A stream that is given texts for everyone, and has read them, is calm. It is not
 * even looked at when the next ones come: its controller stands in the row, and what
 * there is to know of them is in {@linkcode RecentBroadcasts} when it is needed.
 */
export class SessionStream {
  readonly id: string;
  readonly controller: ReadableStreamDefaultController;
  /** Where it is in the row. Whoever puts it there sets that. */
  slot = 0;
  readonly #shared: SharedStreamState;
  readonly #isByteStream: boolean;
  /** `desiredSize` of the stream when all is read. */
  #capacity: number;
  /** The turn of the last write. */
  #lastTurn = -1;
  /** When that was. */
  #lastWriteAt: number;
  /** Bytes that were written then; 0 when they are known to be read. */
  #bytesThisTurn = 0;
  #isOnFastPath = false;
  /** The first of the texts that it took calmly, and may not have read. */
  #firstUnverified = 0;
  /** How many they were when it ceased to be calm. */
  #unverifiedBroadcasts = 0;
  /** Whether a chunk counts one in the stream's own measure, for all we know. */
  #countsChunks: boolean;
  #endsFrame = true;
  /** Whether it got more than one text in its last turn. */
  #hadBurst = false;
  #backlog: Backlog | undefined;
  #pending: FrameBatch | undefined;

  constructor(
    id: string,
    controller: ReadableStreamDefaultController,
    row: SharedStreamState,
    now: number,
  ) {
    this.id = id;
    this.controller = controller;
    this.#shared = row;
    this.#isByteStream = isByteController(controller);
    this.#capacity = controller.desiredSize ?? 0;
    this.#countsChunks = !this.#isByteStream &&
      this.#capacity <= MAX_CHUNK_CAPACITY;
    this.#lastWriteAt = now;
  }

  /**
   * Takes a text: the turn's first at once where the stream is idle, others at the
   * turn's end.
   *
   * @throws What the stream throws that takes no more data.
   */
  enqueue(text: Frame, shared: FrameBatcher): EnqueueResult {
    const { bytes, turn, now } = text;
    this.leaveFastPath();
    let waits = text.canCoalesce;
    if (this.#lastTurn !== turn) {
      waits &&= this.#hadBurst && now - this.#lastWriteAt < BUSY_MS;
      this.#lastTurn = turn;
      this.#hadBurst = false;
      // Who has read everything so far may be given anything within one turn.
      if (this.#backlog === undefined && this.#queuedSize() === 0) {
        this.#bytesThisTurn = 0;
        this.#unverifiedBroadcasts = 0;
        this.#endsFrame = text.endsFrame;
        if (waits) return this.#wait(bytes, shared);
        this.#lastWriteAt = now;
        if (text.broadcastSeq >= 0 && this.#countsChunks) {
          this.#enterFastPath(text);
        } else {
          this.#bytesThisTurn = bytes.length;
          this.controller.enqueue(this.#isByteStream ? bytes.slice() : bytes);
        }
        return "written";
      }
      this.#measure(now)?.setBudget(this.#shared.maxUnreadBytes);
    } else {
      this.#hadBurst = true;
      // What it took in earlier turns may be unread.
      if (this.#unverifiedBroadcasts > 1) this.#measure(now);
    }
    if (!this.#mayHold(bytes.length, now)) return "full";
    this.#endsFrame = text.endsFrame;
    if (waits) return this.#wait(bytes, shared);
    this.#writeChunk(bytes, now);
    return "written";
  }

  /**
   * Writes what waits for the end of the turn.
   *
   * @throws What the stream throws that takes no more data.
   */
  flush(now: number): void {
    const frames = this.#pending;
    if (frames === undefined) return;
    this.#pending = undefined;
    this.#writeChunk(frames.concat(), now);
  }

  /**
   * Writes at once, however much is unread: for what belongs to the stream's start
   * or end, and for those that are idle.
   *
   * @throws What the stream throws that takes no more data.
   */
  write(bytes: Uint8Array<ArrayBuffer>, now: number): void {
    // It says nothing of what is to come.
    this.#hadBurst = false;
    this.#writeChunk(bytes, now);
  }

  /** Has it looked at from now on, and no longer take texts as they come. */
  leaveFastPath(): void {
    if (!this.#isOnFastPath) return;
    this.#isOnFastPath = false;
    this.#shared.fastPathControllers[this.slot] = undefined;
    this.#unverifiedBroadcasts = this.#syncFromBroadcasts();
  }

  /** Finds out what is unread, so that the recent texts can be forgotten. */
  refresh(now: number): void {
    if (this.#isOnFastPath && this.#queuedSize() === 0) {
      this.#syncFromBroadcasts();
      this.#firstUnverified = this.#shared.recentBroadcasts.nextSeq;
    } else if (!this.#isRead) this.#measure(now);
  }

  /** Since when the oldest byte is unread; Infinity when none is. */
  unreadSince(now: number): number {
    return this.#isRead ? Infinity : this.#measure(now)?.oldestAt ?? Infinity;
  }

  /** How many bytes are unread, or wait for the end of the turn. */
  queuedBytes(now: number): number {
    return (this.#isRead ? 0 : this.#measure(now)?.bytes ?? 0) +
      (this.#pending?.length ?? 0);
  }

  /** Whether a comment may be written: nobody waits for anything in it. */
  isIdle(now: number, forMs: number): boolean {
    return now - this.#lastWriteAt >= forMs && this.#endsFrame &&
      this.#pending === undefined && this.#measure(now) === undefined;
  }

  /**
   * Takes over what waits to be written to a stream that this one replaces.
   *
   * @throws What the stream throws that takes no more data.
   */
  inheritPending(older: SessionStream, now: number): void {
    const frames = older.#pending;
    if (frames === undefined) return;
    this.#endsFrame = older.#endsFrame;
    this.#writeChunk(frames.concat(), now);
  }

  /** Forgets what waits. */
  drop(): void {
    this.#pending = undefined;
  }

  /** Whether all that was written is known to be read. */
  get #isRead(): boolean {
    return !this.#isOnFastPath && this.#bytesThisTurn === 0 &&
      this.#unverifiedBroadcasts === 0 &&
      this.#backlog === undefined;
  }

  /** Takes texts to everyone as they come, from this one on. */
  #enterFastPath({ bytes, broadcastSeq }: Frame): void {
    this.#isOnFastPath = true;
    this.#firstUnverified = broadcastSeq;
    this.#shared.fastPathControllers[this.slot] = this.controller;
    this.controller.enqueue(bytes);
    const held = this.#queuedSize();
    if (held === 0 || held === 1) return;
    // In another measure than chunks it could not be told later what is unread.
    this.#countsChunks = false;
    this.leaveFastPath();
  }

  /** Catches up on what it took calmly; returns how many texts it was. */
  #syncFromBroadcasts(): number {
    const { recentBroadcasts, cursor } = this.#shared;
    const isOnItsWay = this.slot > cursor;
    const count = recentBroadcasts.countSince(this.#firstUnverified) -
      (isOnItsWay ? 1 : 0);
    if (count === 0) return 0;
    const last = this.#text(count - 1);
    this.#lastTurn = last.turn;
    this.#lastWriteAt = last.now;
    this.#endsFrame = last.endsFrame;
    return count;
  }

  /** One of the texts that it took calmly. */
  #text(index: number): BroadcastRecord {
    return this.#shared.recentBroadcasts.recordAfter(
      this.#firstUnverified,
      index,
    );
  }

  #wait(bytes: Uint8Array<ArrayBuffer>, shared: FrameBatcher): EnqueueResult {
    const waiting = this.#pending;
    this.#pending = waiting === undefined
      ? shared.startWith(bytes)
      : waiting.append(bytes);
    return waiting === undefined ? "waits" : "written";
  }

  /** Whether as many bytes may come on top of what is unread. */
  #mayHold(bytes: number, now: number): boolean {
    if (this.#backlog === undefined || this.#backlog.consume(bytes)) {
      return true;
    }
    // Some of it may have been read within the turn.
    const waiting = this.#pending?.length ?? 0;
    this.#measure(now)?.setBudget(this.#shared.maxUnreadBytes - waiting);
    return this.#backlog === undefined || this.#backlog.consume(bytes);
  }

  #writeChunk(bytes: Uint8Array<ArrayBuffer>, now: number): void {
    // Each chunk on top of another is counted for itself.
    this.leaveFastPath();
    if (!this.#isRead) this.#measure(now);
    this.#lastWriteAt = now;
    if (this.#backlog === undefined) this.#bytesThisTurn = bytes.length;
    // A byte stream takes the buffer away from whoever holds it.
    this.controller.enqueue(this.#isByteStream ? bytes.slice() : bytes);
    this.#backlog?.push(bytes.length, now, this.#queuedSize());
  }

  /** How much the stream holds, in its own measure. */
  #queuedSize(): number {
    const size = this.controller.desiredSize;
    if (size === this.#capacity) return 0;
    // A stream that has failed holds nothing.
    if (size === null) return 0;
    if (size < this.#capacity) return this.#capacity - size;
    this.#capacity = size;
    return 0;
  }

  /** What is unread, if anything is. */
  #measure(now: number): Backlog | undefined {
    const held = this.#queuedSize();
    if (held === 0) {
      // That is what it is to be calm.
      if (this.#isOnFastPath) return undefined;
      this.#backlog = undefined;
    } else if (this.#backlog !== undefined) this.#backlog.update(held, now);
    else {
      this.leaveFastPath();
      this.#backlog = this.#unread(held, now);
    }
    this.#bytesThisTurn = 0;
    this.#unverifiedBroadcasts = 0;
    return this.#backlog;
  }

  /** What is unread, seen for the first time. */
  #unread(held: number, now: number): Backlog {
    const backlog = new Backlog();
    if (this.#unverifiedBroadcasts === 0) {
      // Without anything of ours it is somebody else's.
      backlog.push(
        this.#bytesThisTurn,
        this.#bytesThisTurn > 0 ? this.#lastWriteAt : now,
        held,
      );
      return backlog;
    }
    // In another measure than chunks nobody can tell how many of them it is. So it is
    // one, and from now on the stream is looked at each time. What others wrote is
    // taken for ours.
    if (held > this.#unverifiedBroadcasts || !Number.isInteger(held)) {
      this.#countsChunks = false;
    }
    const count = this.#countsChunks ? held : 1;
    let fresh = 0;
    for (let pushed = 1; pushed <= count; pushed++) {
      const text = this.#text(this.#unverifiedBroadcasts - 1 - count + pushed);
      backlog.push(text.bytes, text.now, held * pushed / count);
      if (text.turn === this.#lastTurn) fresh += text.bytes;
    }
    // For the rest of the turn, if it is still the same.
    backlog.setBudget(this.#shared.maxUnreadBytes, fresh);
    return backlog;
  }
}
