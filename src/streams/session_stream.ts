import { Backlog } from "./backlog.ts";
import type { BroadcastFastPath } from "./fast_path/broadcast_fast_path.ts";
import type { BroadcastRecord } from "./fast_path/recent_broadcasts.ts";
import { formatSseComment } from "../protocol/sse.ts";
import { FastPathStream } from "./fast_path/fast_path_stream.ts";
import type { EnqueueResult, Frame } from "./frame.ts";
import type { FrameBatch, FrameBatcher } from "./frame_batch.ts";
import type { StreamSink } from "./output/sink.ts";
import type { SinkableStream } from "./output/sink_handover.ts";

/**
 * For this many milliseconds after a turn with several frames, the first frame
 * of a turn is queued as well. Writing it separately would cost the server as
 * much as writing all the others together.
 */
const BUSY_MS = 1_000;
/** A comment that clients ignore. */
const PROBE = new TextEncoder().encode(formatSseComment(""));

/**
 * The stream of a session: writes to it, and knows how much of that is unread.
 *
 * Nearly always the reader has read everything. Then a write is cheap: one look
 * at `desiredSize`, a few small integers, and `enqueue`. Only a stream that
 * still holds something afterwards gets a {@linkcode Backlog}.
 *
 * Broadcasts to a stream that has read everything take the fast path, which
 * writes them without visiting the stream: see
 * {@linkcode BroadcastFastPath}.
 */
export class SessionStream extends FastPathStream implements SinkableStream {
  readonly id: string;
  /** The transport that it belongs to, see `Sessions.forTransport`. */
  transport: string | undefined;
  /** The turn of the last write. */
  #lastTurn = -1;
  /** When the last write was. */
  #lastWriteAt: number;
  /**
   * Bytes that were written in the last turn; 0 if they are known to be read.
   */
  #bytesThisTurn = 0;
  #endsFrame = true;
  /** Whether several frames were written in the last turn. */
  #hadBurst = false;
  #backlog: Backlog | undefined;
  #pending: FrameBatch | undefined;

  constructor(
    id: string,
    controller: ReadableStreamDefaultController,
    fastPath: BroadcastFastPath,
    now: number,
  ) {
    super(controller, fastPath);
    this.id = id;
    this.#lastWriteAt = now;
  }

  /**
   * Writes a frame: the first of a turn at once if the stream is idle, others
   * at the end of the turn.
   *
   * @throws If the stream throws, for example because it was cancelled.
   */
  enqueue(frame: Frame, batcher: FrameBatcher): EnqueueResult {
    const { bytes, turn, now } = frame;
    this.leaveFastPath();
    let isQueued = frame.canCoalesce;
    if (this.#lastTurn !== turn) {
      isQueued &&= this.#hadBurst && now - this.#lastWriteAt < BUSY_MS;
      this.#lastTurn = turn;
      this.#hadBurst = false;
      // A reader that has read everything may get any amount within one turn.
      if (this.#backlog === undefined && this.queuedSize === 0) {
        this.#bytesThisTurn = 0;
        this.clearUnverified();
        this.#endsFrame = frame.endsFrame;
        if (isQueued) return this.#wait(bytes, batcher);
        this.#lastWriteAt = now;
        if (this.tryEnterFastPath(frame)) this.#writeBroadcast(bytes);
        else {
          this.#bytesThisTurn = bytes.length;
          this.put(bytes);
        }
        return "written";
      }
      this.#measure(now)?.setBudget(this.maxUnreadBytes);
    } else {
      this.#hadBurst = true;
      // Data of earlier turns may be unread.
      if (this.unverifiedBroadcasts > 1) this.#measure(now);
    }
    if (!this.#mayHold(bytes.length, now)) return "overflow";
    this.#endsFrame = frame.endsFrame;
    if (isQueued) return this.#wait(bytes, batcher);
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
    if (this.isOnFastPath) this.#sync(this.exitFastPath());
  }

  /** Finds out what is unread, so that the recent broadcasts can be dropped. */
  refresh(now: number): void {
    if (this.isOnFastPath && this.queuedSize === 0) {
      this.#sync(this.restartFastPath());
    } else if (!this.#isKnownRead) this.#measure(now);
  }

  /**
   * When the oldest unread byte was enqueued; Infinity if nothing is unread.
   */
  unreadSince(now: number): number {
    return this.#isKnownRead
      ? Infinity
      : this.#measure(now)?.oldestAt ?? Infinity;
  }

  /** How many bytes are unread, or queued until the end of the turn. */
  queuedBytes(now: number): number {
    return (this.#isKnownRead ? 0 : this.#measure(now)?.bytes ?? 0) +
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

  /** Whether everything was read that was written to the Web Stream. */
  get isRead(): boolean {
    return this.queuedSize === 0;
  }

  /** Writes a comment, if one may be written now. */
  probe(): void {
    if (!this.#endsFrame) return;
    try {
      this.put(PROBE);
    } catch {
      // The stream was closed, errored or cancelled.
    }
  }

  /** Writes to a sink from now on. */
  override useSink(sink: StreamSink): void {
    this.leaveFastPath();
    // A sink counts bytes.
    this.disableFastPath();
    this.#backlog = undefined;
    this.#bytesThisTurn = 0;
    this.clearUnverified();
    super.useSink(sink);
  }

  /** Drops the queued frames. */
  drop(): void {
    this.#pending = undefined;
  }

  /** Whether everything that was written is known to be read. */
  get #isKnownRead(): boolean {
    return this.#backlog === undefined && this.#bytesThisTurn === 0 &&
      !this.isOnFastPath && this.unverifiedBroadcasts === 0;
  }

  /** Writes the broadcast with which the stream entered the fast path. */
  #writeBroadcast(bytes: Uint8Array<ArrayBuffer>): void {
    this.controller.enqueue(bytes);
    const queuedSize = this.queuedSize;
    if (queuedSize === 0 || queuedSize === 1) return;
    this.disableFastPath();
    this.leaveFastPath();
  }

  /** Accounts for the last broadcast that was written on the fast path. */
  #sync(last: BroadcastRecord | undefined): void {
    if (last === undefined) return;
    this.#lastTurn = last.turn;
    this.#lastWriteAt = last.now;
    this.#endsFrame = last.endsFrame;
  }

  #wait(bytes: Uint8Array<ArrayBuffer>, batcher: FrameBatcher): EnqueueResult {
    const queued = this.#pending;
    this.#pending = queued === undefined
      ? batcher.startWith(bytes)
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
    this.#measure(now)?.setBudget(this.maxUnreadBytes - queued);
    return this.#backlog === undefined || this.#backlog.consume(bytes);
  }

  #writeChunk(bytes: Uint8Array<ArrayBuffer>, now: number): void {
    // Chunks that are queued behind another one are counted one by one.
    this.leaveFastPath();
    if (!this.#isKnownRead) this.#measure(now);
    this.#lastWriteAt = now;
    if (this.#backlog === undefined) this.#bytesThisTurn = bytes.length;
    this.put(bytes);
    this.#backlog?.push(bytes.length, now, this.queuedSize);
  }

  /** Returns the backlog, if anything is unread. */
  #measure(now: number): Backlog | undefined {
    const queuedSize = this.queuedSize;
    if (queuedSize === 0) {
      // On the fast path everything was read.
      if (this.isOnFastPath) return undefined;
      this.#backlog = undefined;
    } else if (this.#backlog !== undefined) {
      this.#backlog.update(queuedSize, now);
    } else {
      this.leaveFastPath();
      this.#backlog = this.#createBacklog(queuedSize, now);
    }
    this.#bytesThisTurn = 0;
    this.clearUnverified();
    return this.#backlog;
  }

  /** Creates the backlog when something is unread for the first time. */
  #createBacklog(queuedSize: number, now: number): Backlog {
    const backlog = new Backlog();
    if (this.unverifiedBroadcasts > 0) {
      const bytesThisTurn = this.restoreBacklog(
        backlog,
        queuedSize,
        this.#lastTurn,
      );
      // Applies to the rest of the turn, if it is still the same one.
      backlog.setBudget(this.maxUnreadBytes, bytesThisTurn);
      return backlog;
    }
    // If none of it is ours, someone else wrote to the stream.
    const enqueuedAt = this.#bytesThisTurn > 0 ? this.#lastWriteAt : now;
    backlog.push(this.#bytesThisTurn, enqueuedAt, queuedSize);
    return backlog;
  }
}
