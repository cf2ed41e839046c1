import { Backlog } from "./backlog.ts";
import { isByteController } from "./controllers.ts";
import type { FrameBatch, FrameBatcher } from "./frame_batch.ts";
import type { BroadcastRecord, RecentBroadcasts } from "./recent_broadcasts.ts";
import type { EnqueueResult, Frame } from "./frame.ts";

/**
 * For this many milliseconds after a turn with several frames, the first frame
 * of a turn is queued as well. Writing it separately would cost the server as
 * much as writing all the others together.
 */
const BUSY_MS = 1_000;
/** A stream with a larger capacity probably doesn't count chunks. */
const MAX_CHUNK_CAPACITY = 64;

/** State that the streams of a process share. */
export interface SharedStreamState {
  /** How many bytes of each stream may be unread. */
  readonly maxUnreadBytes: number;
  /** The recent broadcasts. */
  readonly recentBroadcasts: RecentBroadcasts;
  /** The slot that the current broadcast has reached. */
  readonly cursor: number;
  /** The controllers of the streams on the fast path, by slot. */
  readonly fastPathControllers: (ReadableStreamDefaultController | undefined)[];
}

/**
 * The stream of a session: writes to it, and knows how much of that is unread.
 *
 * Nearly always the reader has read everything. Then a write is cheap: one look
 * at `desiredSize`, a few small integers, and `enqueue`. Only a stream that
 * still holds something afterwards gets a {@linkcode Backlog}.
 *
 * A stream that gets broadcasts and has read them is on the fast path. It is
 * not visited for the next ones: its controller is in a slot of
 * `fastPathControllers`, and {@linkcode RecentBroadcasts} has what it needs to
 * know later.
 */
export class SessionStream {
  readonly id: string;
  readonly controller: ReadableStreamDefaultController;
  /** The slot in the registry, which sets it. */
  slot = 0;
  readonly #shared: SharedStreamState;
  readonly #isByteStream: boolean;
  /** The `desiredSize` of the stream when everything was read. */
  #capacity: number;
  /** The turn of the last write. */
  #lastTurn = -1;
  /** When the last write was. */
  #lastWriteAt: number;
  /**
   * Bytes that were written in the last turn; 0 if they are known to be read.
   */
  #bytesThisTurn = 0;
  #isOnFastPath = false;
  /**
   * The first broadcast that was written on the fast path and may be unread.
   */
  #firstUnverified = 0;
  /** How many such broadcasts there were when the stream left the fast path. */
  #unverifiedBroadcasts = 0;
  /** Whether the stream's own unit is chunks, as far as known. */
  #countsChunks: boolean;
  #endsFrame = true;
  /** Whether several frames were written in the last turn. */
  #hadBurst = false;
  #backlog: Backlog | undefined;
  #pending: FrameBatch | undefined;

  constructor(
    id: string,
    controller: ReadableStreamDefaultController,
    shared: SharedStreamState,
    now: number,
  ) {
    this.id = id;
    this.controller = controller;
    this.#shared = shared;
    this.#isByteStream = isByteController(controller);
    this.#capacity = controller.desiredSize ?? 0;
    this.#countsChunks = !this.#isByteStream &&
      this.#capacity <= MAX_CHUNK_CAPACITY;
    this.#lastWriteAt = now;
  }

  /**
   * Writes a frame: the first of a turn at once if the stream is idle, others
   * at the end of the turn.
   *
   * @throws If the stream throws, for example because it was cancelled.
   */
  enqueue(frame: Frame, shared: FrameBatcher): EnqueueResult {
    const { bytes, turn, now } = frame;
    this.leaveFastPath();
    let isQueued = frame.canCoalesce;
    if (this.#lastTurn !== turn) {
      isQueued &&= this.#hadBurst && now - this.#lastWriteAt < BUSY_MS;
      this.#lastTurn = turn;
      this.#hadBurst = false;
      // A reader that has read everything may get any amount within one turn.
      if (this.#backlog === undefined && this.#queuedSize() === 0) {
        this.#bytesThisTurn = 0;
        this.#unverifiedBroadcasts = 0;
        this.#endsFrame = frame.endsFrame;
        if (isQueued) return this.#wait(bytes, shared);
        this.#lastWriteAt = now;
        if (frame.broadcastSeq >= 0 && this.#countsChunks) {
          this.#enterFastPath(frame);
        } else {
          this.#bytesThisTurn = bytes.length;
          this.controller.enqueue(this.#isByteStream ? bytes.slice() : bytes);
        }
        return "written";
      }
      this.#measure(now)?.setBudget(this.#shared.maxUnreadBytes);
    } else {
      this.#hadBurst = true;
      // Data of earlier turns may be unread.
      if (this.#unverifiedBroadcasts > 1) this.#measure(now);
    }
    if (!this.#mayHold(bytes.length, now)) return "overflow";
    this.#endsFrame = frame.endsFrame;
    if (isQueued) return this.#wait(bytes, shared);
    this.#writeChunk(bytes, now);
    return "written";
  }

  /**
   * Writes the frames that were queued until the end of the turn.
   *
   * @throws If the stream throws.
   */
  flush(now: number): void {
    const frames = this.#pending;
    if (frames === undefined) return;
    this.#pending = undefined;
    this.#writeChunk(frames.concat(), now);
  }

  /**
   * Writes at once, whatever is unread: for the start and end of a stream, and
   * for idle ones.
   *
   * @throws If the stream throws.
   */
  write(bytes: Uint8Array<ArrayBuffer>, now: number): void {
    // Such a chunk doesn't announce a burst.
    this.#hadBurst = false;
    this.#writeChunk(bytes, now);
  }

  /** Leaves the fast path. */
  leaveFastPath(): void {
    if (!this.#isOnFastPath) return;
    this.#isOnFastPath = false;
    this.#shared.fastPathControllers[this.slot] = undefined;
    this.#unverifiedBroadcasts = this.#syncFromBroadcasts();
  }

  /** Finds out what is unread, so that the recent broadcasts can be dropped. */
  refresh(now: number): void {
    if (this.#isOnFastPath && this.#queuedSize() === 0) {
      this.#syncFromBroadcasts();
      this.#firstUnverified = this.#shared.recentBroadcasts.nextSeq;
    } else if (!this.#isRead) this.#measure(now);
  }

  /**
   * When the oldest unread byte was enqueued; Infinity if nothing is unread.
   */
  unreadSince(now: number): number {
    return this.#isRead ? Infinity : this.#measure(now)?.oldestAt ?? Infinity;
  }

  /** How many bytes are unread, or queued until the end of the turn. */
  queuedBytes(now: number): number {
    return (this.#isRead ? 0 : this.#measure(now)?.bytes ?? 0) +
      (this.#pending?.length ?? 0);
  }

  /** Whether a keep-alive comment may be written now. */
  isIdle(now: number, forMs: number): boolean {
    return now - this.#lastWriteAt >= forMs && this.#endsFrame &&
      this.#pending === undefined && this.#measure(now) === undefined;
  }

  /**
   * Takes over the queued frames of a stream that this one replaces.
   *
   * @throws If the stream throws.
   */
  inheritPending(older: SessionStream, now: number): void {
    const frames = older.#pending;
    if (frames === undefined) return;
    this.#endsFrame = older.#endsFrame;
    this.#writeChunk(frames.concat(), now);
  }

  /** Drops the queued frames. */
  drop(): void {
    this.#pending = undefined;
  }

  /** Whether everything that was written is known to be read. */
  get #isRead(): boolean {
    return !this.#isOnFastPath && this.#bytesThisTurn === 0 &&
      this.#unverifiedBroadcasts === 0 &&
      this.#backlog === undefined;
  }

  /** Enters the fast path, beginning with this broadcast. */
  #enterFastPath({ bytes, broadcastSeq }: Frame): void {
    this.#isOnFastPath = true;
    this.#firstUnverified = broadcastSeq;
    this.#shared.fastPathControllers[this.slot] = this.controller;
    this.controller.enqueue(bytes);
    const queuedSize = this.#queuedSize();
    if (queuedSize === 0 || queuedSize === 1) return;
    // With a unit other than chunks, the unread bytes couldn't be reconstructed
    // later.
    this.#countsChunks = false;
    this.leaveFastPath();
  }

  /**
   * Accounts for what was written on the fast path; returns the number of
   * broadcasts.
   */
  #syncFromBroadcasts(): number {
    const { recentBroadcasts, cursor } = this.#shared;
    const isInProgress = this.slot > cursor;
    const count = recentBroadcasts.countSince(this.#firstUnverified) -
      (isInProgress ? 1 : 0);
    if (count === 0) return 0;
    const last = this.#broadcastAt(count - 1);
    this.#lastTurn = last.turn;
    this.#lastWriteAt = last.now;
    this.#endsFrame = last.endsFrame;
    return count;
  }

  /** Returns one of the broadcasts that were written on the fast path. */
  #broadcastAt(index: number): BroadcastRecord {
    return this.#shared.recentBroadcasts.recordAfter(
      this.#firstUnverified,
      index,
    );
  }

  #wait(bytes: Uint8Array<ArrayBuffer>, shared: FrameBatcher): EnqueueResult {
    const queued = this.#pending;
    this.#pending = queued === undefined
      ? shared.startWith(bytes)
      : queued.append(bytes);
    return queued === undefined ? "queued" : "written";
  }

  /** Returns whether this many bytes may be added to what is unread. */
  #mayHold(bytes: number, now: number): boolean {
    if (this.#backlog === undefined || this.#backlog.consume(bytes)) {
      return true;
    }
    // Some of it may have been read during this turn.
    const queued = this.#pending?.length ?? 0;
    this.#measure(now)?.setBudget(this.#shared.maxUnreadBytes - queued);
    return this.#backlog === undefined || this.#backlog.consume(bytes);
  }

  #writeChunk(bytes: Uint8Array<ArrayBuffer>, now: number): void {
    // Chunks that are queued behind another one are counted one by one.
    this.leaveFastPath();
    if (!this.#isRead) this.#measure(now);
    this.#lastWriteAt = now;
    if (this.#backlog === undefined) this.#bytesThisTurn = bytes.length;
    // A byte stream transfers the buffer, so each needs its own copy.
    this.controller.enqueue(this.#isByteStream ? bytes.slice() : bytes);
    this.#backlog?.push(bytes.length, now, this.#queuedSize());
  }

  /** How much the stream holds, in its own unit. */
  #queuedSize(): number {
    const size = this.controller.desiredSize;
    if (size === this.#capacity) return 0;
    // A failed stream holds nothing.
    if (size === null) return 0;
    if (size < this.#capacity) return this.#capacity - size;
    this.#capacity = size;
    return 0;
  }

  /** Returns the backlog, if anything is unread. */
  #measure(now: number): Backlog | undefined {
    const queuedSize = this.#queuedSize();
    if (queuedSize === 0) {
      // On the fast path everything was read.
      if (this.#isOnFastPath) return undefined;
      this.#backlog = undefined;
    } else if (this.#backlog !== undefined) {
      this.#backlog.update(queuedSize, now);
    } else {
      this.leaveFastPath();
      this.#backlog = this.#unread(queuedSize, now);
    }
    this.#bytesThisTurn = 0;
    this.#unverifiedBroadcasts = 0;
    return this.#backlog;
  }

  /** Creates the backlog when something is unread for the first time. */
  #unread(queuedSize: number, now: number): Backlog {
    const backlog = new Backlog();
    if (this.#unverifiedBroadcasts === 0) {
      // Nothing of ours: someone else wrote to the stream.
      backlog.push(
        this.#bytesThisTurn,
        this.#bytesThisTurn > 0 ? this.#lastWriteAt : now,
        queuedSize,
      );
      return backlog;
    }
    // With a unit other than chunks, nobody can tell how many chunks are
    // unread. Assume that it is one and ours, and check the stream on every
    // write from now on.
    if (
      queuedSize > this.#unverifiedBroadcasts || !Number.isInteger(queuedSize)
    ) {
      this.#countsChunks = false;
    }
    const count = this.#countsChunks ? queuedSize : 1;
    let fresh = 0;
    for (let pushed = 1; pushed <= count; pushed++) {
      const frame = this.#broadcastAt(
        this.#unverifiedBroadcasts - 1 - count + pushed,
      );
      backlog.push(frame.bytes, frame.now, queuedSize * pushed / count);
      if (frame.turn === this.#lastTurn) fresh += frame.bytes;
    }
    // Applies to the rest of the turn, if it is still the same one.
    backlog.setBudget(this.#shared.maxUnreadBytes, fresh);
    return backlog;
  }
}
