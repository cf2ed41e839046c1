import type { Backlog } from "../backlog.ts";
import type { Frame } from "../frame.ts";
import type { BroadcastFastPath } from "./broadcast_fast_path.ts";
import type { BroadcastRecord } from "./recent_broadcasts.ts";

/** The part of one stream in the {@linkcode BroadcastFastPath}. */
export class StreamFastPath {
  /** The slot of the stream in the registry, which sets it. */
  slot = 0;
  readonly #shared: BroadcastFastPath;
  readonly #controller: ReadableStreamDefaultController;
  /** Whether the stream's own unit is chunks, as far as known. */
  #countsChunks: boolean;
  #isActive = false;
  /** The first broadcast that was written here and may be unread. */
  #firstSeq = 0;
  /** How many such broadcasts there were when the stream left. */
  #unverified = 0;

  /**
   * @param shared The state that all streams share.
   * @param controller The controller of the stream.
   * @param countsChunks Whether the stream probably counts chunks.
   */
  constructor(
    shared: BroadcastFastPath,
    controller: ReadableStreamDefaultController,
    countsChunks: boolean,
  ) {
    this.#shared = shared;
    this.#controller = controller;
    this.#countsChunks = countsChunks;
  }

  /** Whether broadcasts are written without visiting the stream. */
  get isActive(): boolean {
    return this.#isActive;
  }

  /** How many broadcasts may be unread since the stream left. */
  get unverified(): number {
    return this.#unverified;
  }

  /**
   * Enters with a broadcast that the stream gets next, if it can. Everything
   * before must have been read.
   */
  tryEnter({ broadcastSeq }: Frame): boolean {
    if (broadcastSeq < 0 || !this.#countsChunks) return false;
    this.#isActive = true;
    this.#firstSeq = broadcastSeq;
    this.#shared.set(this.slot, this.#controller);
    return true;
  }

  /**
   * Leaves.
   *
   * @returns The last broadcast that was written on the fast path, if any was.
   */
  leave(): BroadcastRecord | undefined {
    const last = this.#last();
    this.#unverified = this.#count();
    this.#shared.set(this.slot, undefined);
    this.#isActive = false;
    return last;
  }

  /**
   * Stays, because everything was read: forgets the broadcasts so far.
   *
   * @returns The last of them, if there is one.
   */
  restart(): BroadcastRecord | undefined {
    const last = this.#last();
    this.#firstSeq = this.#shared.broadcasts.nextSeq;
    return last;
  }

  /** Everything that was written on the fast path is accounted for. */
  clearUnverified(): void {
    this.#unverified = 0;
  }

  /**
   * Called when the stream turns out to have another unit than chunks: what is
   * unread couldn't be reconstructed, so it must not enter again.
   */
  rejectUnit(): void {
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
  restore(backlog: Backlog, queuedSize: number, turn: number): number {
    // With a unit other than chunks, nobody can tell how many chunks are
    // unread. Assume that it is one and ours, and check the stream on every
    // write from now on.
    if (queuedSize > this.#unverified || !Number.isInteger(queuedSize)) {
      this.rejectUnit();
    }
    const count = this.#countsChunks ? queuedSize : 1;
    let bytesThisTurn = 0;
    for (let pushed = 1; pushed <= count; pushed++) {
      const index = this.#unverified - 1 - count + pushed;
      const record = this.#shared.recordAt(this.#firstSeq, index);
      backlog.push(record.bytes, record.now, queuedSize * pushed / count);
      if (record.turn === turn) bytesThisTurn += record.bytes;
    }
    return bytesThisTurn;
  }

  #count(): number {
    return this.#shared.countSince(this.#firstSeq, this.slot);
  }

  #last(): BroadcastRecord | undefined {
    const count = this.#count();
    return count === 0
      ? undefined
      : this.#shared.recordAt(this.#firstSeq, count - 1);
  }
}
