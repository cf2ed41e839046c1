import { Backlog } from "./backlog.ts";
import { isByteController } from "./controllers.ts";
import type { Frames, SharedFrames } from "./frames.ts";

/** What a stream did with a text. */
export type Taken =
  /** It has it. */
  | "written"
  /** It has it, and needs a {@linkcode SessionStream.flush} at the turn's end. */
  | "waits"
  /** It did not take it: too much is unread. */
  | "full";

/** One text on its way to many streams. */
export interface Text {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether a frame ends where the text ends, so that a comment may follow. */
  readonly endsFrame: boolean;
  /** Number of the turn of the event loop. */
  readonly turn: number;
  /** When, on the ticker's clock. */
  readonly now: number;
  /** Whether it waits for the end of the turn when it is not the turn's first. */
  readonly mayWait: boolean;
  /** How many bytes may be unread. */
  readonly maxUnread: number;
}

/**
 * For how many milliseconds after a turn with several texts the next ones are
 * expected to come in company as well. A write of its own for the first of them
 * would cost the server as much as that for all the others.
 */
const BUSY_MS = 1_000;

/**
 * The stream of a session: writes to it, and knows how much of that is unread.
 *
 * Nearly always a reader has read all there is. The way of such a stream is short:
 * one look at `desiredSize`, a few small numbers (which cost less to store than a
 * reference or a fraction), and the text is enqueued. Only a stream that still holds
 * something then gets a {@linkcode Backlog}.
 */
export class SessionStream {
  readonly id: string;
  readonly controller: ReadableStreamDefaultController;
  readonly #isByteStream: boolean;
  /** `desiredSize` of the stream when all is read. */
  #room: number;
  /** The turn of the last write. */
  #turn = -1;
  /** When that was. */
  #at: number;
  /** Bytes that were written then; 0 when they are known to be read. */
  #fresh = 0;
  #endsFrame = true;
  /** Whether it got more than one text in its last turn. */
  #hadBurst = false;
  #backlog: Backlog | undefined;
  #waiting: Frames | undefined;

  constructor(
    id: string,
    controller: ReadableStreamDefaultController,
    now: number,
  ) {
    this.id = id;
    this.controller = controller;
    this.#isByteStream = isByteController(controller);
    this.#room = controller.desiredSize ?? 0;
    this.#at = now;
  }

  /**
   * Takes a text: the turn's first at once where the stream is idle, others at the
   * turn's end.
   *
   * @throws What the stream throws that takes no more data.
   */
  take(text: Text, shared: SharedFrames): Taken {
    const { bytes, turn, now } = text;
    let waits = text.mayWait;
    if (this.#turn !== turn) {
      waits &&= this.#hadBurst && now - this.#at < BUSY_MS;
      this.#turn = turn;
      this.#hadBurst = false;
      // Who has read everything so far may be given anything within one turn.
      if (this.#backlog === undefined && this.#held() === 0) {
        this.#fresh = 0;
        this.#endsFrame = text.endsFrame;
        if (waits) return this.#wait(bytes, shared);
        this.#at = now;
        this.#fresh = bytes.length;
        this.controller.enqueue(this.#isByteStream ? bytes.slice() : bytes);
        return "written";
      }
      this.#measure(now)?.allow(text.maxUnread);
    } else this.#hadBurst = true;
    if (!this.#mayHold(bytes.length, text)) return "full";
    this.#endsFrame = text.endsFrame;
    if (waits) return this.#wait(bytes, shared);
    this.#enqueue(bytes, now);
    return "written";
  }

  /**
   * Writes what waits for the end of the turn.
   *
   * @throws What the stream throws that takes no more data.
   */
  flush(now: number): void {
    const frames = this.#waiting;
    if (frames === undefined) return;
    this.#waiting = undefined;
    this.#enqueue(frames.join(), now);
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
    this.#enqueue(bytes, now);
  }

  /** Since when the oldest byte is unread; Infinity when none is. */
  unreadSince(now: number): number {
    return this.#isRead ? Infinity : this.#measure(now)?.since ?? Infinity;
  }

  /** How many bytes are unread, or wait for the end of the turn. */
  queuedBytes(now: number): number {
    return (this.#isRead ? 0 : this.#measure(now)?.bytes ?? 0) +
      (this.#waiting?.length ?? 0);
  }

  /** Whether a comment may be written: nobody waits for anything in it. */
  isIdle(now: number, forMs: number): boolean {
    return now - this.#at >= forMs && this.#endsFrame &&
      this.#waiting === undefined && this.#measure(now) === undefined;
  }

  /**
   * Takes over what waits to be written to a stream that this one replaces.
   *
   * @throws What the stream throws that takes no more data.
   */
  inherit(older: SessionStream, now: number): void {
    const frames = older.#waiting;
    if (frames === undefined) return;
    this.#endsFrame = older.#endsFrame;
    this.#enqueue(frames.join(), now);
  }

  /** Forgets what waits. */
  drop(): void {
    this.#waiting = undefined;
  }

  /** Whether all that was written is known to be read. */
  get #isRead(): boolean {
    return this.#fresh === 0 && this.#backlog === undefined;
  }

  #wait(bytes: Uint8Array<ArrayBuffer>, shared: SharedFrames): Taken {
    const waiting = this.#waiting;
    this.#waiting = waiting === undefined
      ? shared.first(bytes)
      : waiting.append(bytes);
    return waiting === undefined ? "waits" : "written";
  }

  /** Whether as many bytes may come on top of what is unread. */
  #mayHold(bytes: number, { now, maxUnread }: Text): boolean {
    if (this.#backlog === undefined || this.#backlog.spend(bytes)) return true;
    // Some of it may have been read within the turn.
    const waiting = this.#waiting?.length ?? 0;
    this.#measure(now)?.allow(maxUnread - waiting);
    return this.#backlog === undefined || this.#backlog.spend(bytes);
  }

  #enqueue(bytes: Uint8Array<ArrayBuffer>, now: number): void {
    // Each chunk on top of another is counted for itself.
    if (!this.#isRead) this.#measure(now);
    this.#at = now;
    if (this.#backlog === undefined) this.#fresh = bytes.length;
    // A byte stream takes the buffer away from whoever holds it.
    this.controller.enqueue(this.#isByteStream ? bytes.slice() : bytes);
    this.#backlog?.push(bytes.length, now, this.#held());
  }

  /** How much the stream holds, in its own measure. */
  #held(): number {
    const size = this.controller.desiredSize;
    if (size === this.#room) return 0;
    // A stream that has failed holds nothing.
    if (size === null) return 0;
    if (size < this.#room) return this.#room - size;
    this.#room = size;
    return 0;
  }

  /** What is unread, if anything is. */
  #measure(now: number): Backlog | undefined {
    const held = this.#held();
    if (held === 0) {
      this.#fresh = 0;
      this.#backlog = undefined;
    } else if (this.#backlog === undefined) {
      // Without anything of ours it is somebody else's, and seen for the first time.
      const since = this.#fresh > 0 ? this.#at : now;
      this.#backlog = new Backlog(held, this.#fresh, since);
      this.#fresh = 0;
    } else this.#backlog.update(held, now);
    return this.#backlog;
  }
}
