import type { Backlog } from "../backlog.ts";
import { isByteController } from "../controllers.ts";
import type { Frame } from "../frame.ts";
import { StreamOutput } from "../output/stream_output.ts";
import type { BroadcastFastPath } from "./broadcast_fast_path.ts";
import type { BroadcastRecord } from "./recent_broadcasts.ts";

/** A stream with a larger capacity probably doesn't count chunks. */
const MAX_CHUNK_CAPACITY = 64;

/**
 * What a stream needs for the {@linkcode BroadcastFastPath}. A base class rather
 * than an object of its own, because there is one for each session.
 */
export abstract class FastPathStream extends StreamOutput {
  /** The slot in the registry, which sets it. */
  slot = 0;
  readonly #fastPath: BroadcastFastPath;
  /** Whether the stream's own unit is chunks, as far as known. */
  #countsChunks: boolean;
  #isOnFastPath = false;
  /** The first broadcast that was written here and may be unread. */
  #firstSeq = 0;
  /** How many such broadcasts there were when the stream left. */
  #unverified = 0;

  /**
   * @param controller The controller of the stream.
   * @param fastPath The state that all streams share.
   */
  constructor(
    controller: ReadableStreamDefaultController,
    fastPath: BroadcastFastPath,
  ) {
    super(controller);
    this.#fastPath = fastPath;
    this.#countsChunks = !isByteController(controller) &&
      this.capacity <= MAX_CHUNK_CAPACITY;
  }

  /** How many bytes may be unread. */
  protected get maxUnreadBytes(): number {
    return this.#fastPath.maxUnreadBytes;
  }

  /** Whether broadcasts are written without visiting the stream. */
  protected get isOnFastPath(): boolean {
    return this.#isOnFastPath;
  }

  /** How many broadcasts may be unread since the stream left. */
  protected get unverifiedBroadcasts(): number {
    return this.#unverified;
  }

  /**
   * Enters with a broadcast that the stream gets next, if it can. Everything
   * before must have been read.
   */
  protected tryEnterFastPath({ broadcastSeq }: Frame): boolean {
    if (broadcastSeq < 0 || !this.#countsChunks) return false;
    this.#isOnFastPath = true;
    this.#firstSeq = broadcastSeq;
    this.#fastPath.set(this.slot, this.controller);
    return true;
  }

  /**
   * Leaves the fast path.
   *
   * @returns The last broadcast that was written on the fast path, if any was.
   */
  protected exitFastPath(): BroadcastRecord | undefined {
    this.#unverified = this.#fastPath.countSince(this.#firstSeq, this.slot);
    const last = this.#broadcastBefore(this.#unverified);
    this.#fastPath.set(this.slot, undefined);
    this.#isOnFastPath = false;
    return last;
  }

  /**
   * Stays on the fast path, because everything was read: forgets the broadcasts
   * so far.
   *
   * @returns The last of them, if there is one.
   */
  protected restartFastPath(): BroadcastRecord | undefined {
    const count = this.#fastPath.countSince(this.#firstSeq, this.slot);
    const last = this.#broadcastBefore(count);
    this.#firstSeq = this.#fastPath.broadcasts.nextSeq;
    return last;
  }

  /** Everything that was written on the fast path is accounted for. */
  protected clearUnverified(): void {
    this.#unverified = 0;
  }

  /**
   * Called when the stream turns out to have another unit than chunks: what is
   * unread couldn't be reconstructed, so it must not enter again.
   */
  protected disableFastPath(): void {
    this.#countsChunks = false;
  }

  /**
   * Adds the unread broadcasts to a backlog.
   *
   * @param backlog An empty backlog.
   * @param queuedSize How much the stream holds, in its own unit.
   * @param turn The turn of the last write.
   * @returns How many of the bytes were written in that turn.
   */
  protected restoreBacklog(
    backlog: Backlog,
    queuedSize: number,
    turn: number,
  ): number {
    // With a unit other than chunks, nobody can tell how many chunks are
    // unread. Assume that it is one and ours, and check the stream on every
    // write from now on.
    if (queuedSize > this.#unverified || !Number.isInteger(queuedSize)) {
      this.disableFastPath();
    }
    const count = this.#countsChunks ? queuedSize : 1;
    let bytesThisTurn = 0;
    for (let pushed = 1; pushed <= count; pushed++) {
      const index = this.#unverified - 1 - count + pushed;
      const record = this.#fastPath.recordAt(this.#firstSeq, index);
      backlog.push(record.bytes, record.now, queuedSize * pushed / count);
      if (record.turn === turn) bytesThisTurn += record.bytes;
    }
    return bytesThisTurn;
  }

  /** Returns the last of a number of broadcasts, if there is one. */
  #broadcastBefore(count: number): BroadcastRecord | undefined {
    return count === 0
      ? undefined
      : this.#fastPath.recordAt(this.#firstSeq, count - 1);
  }
}
