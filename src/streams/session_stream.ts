import { Backlog } from "./backlog.ts";
import { isByteController } from "./controllers.ts";
import type { Frames, SharedFrames } from "./frame_batch.ts";
import type { RecentText, RecentTexts } from "./recent_broadcasts.ts";
import type { Taken, Text } from "./frame.ts";

/**
 * For how many milliseconds after a turn with several texts the next ones are
 * expected to come in company as well. A write of its own for the first of them
 * would cost the server as much as that for all the others.
 */
const BUSY_MS = 1_000;
/** A stream that has room for more than so many counts no chunks, most likely. */
const MOST_CHUNKS = 64;

/** What the streams of a process have together. */
export interface Row {
  /** How many bytes of each may be unread. */
  readonly maxUnread: number;
  /** The texts that went to everyone. */
  readonly recent: RecentTexts;
  /** The place that the last of them has come to, while it is on its way. */
  readonly reached: number;
  /** The controllers of the streams that take them as they come, by their places. */
  readonly calm: (ReadableStreamDefaultController | undefined)[];
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
 * there is to know of them is in {@linkcode RecentTexts} when it is needed.
 */
export class SessionStream {
  readonly id: string;
  readonly controller: ReadableStreamDefaultController;
  /** Where it is in the row. Whoever puts it there sets that. */
  place = 0;
  readonly #row: Row;
  readonly #isByteStream: boolean;
  /** `desiredSize` of the stream when all is read. */
  #room: number;
  /** The turn of the last write. */
  #turn = -1;
  /** When that was. */
  #at: number;
  /** Bytes that were written then; 0 when they are known to be read. */
  #fresh = 0;
  #isCalm = false;
  /** The first of the texts that it took calmly, and may not have read. */
  #firstUnseen = 0;
  /** How many they were when it ceased to be calm. */
  #unseen = 0;
  /** Whether a chunk counts one in the stream's own measure, for all we know. */
  #countsChunks: boolean;
  #endsFrame = true;
  /** Whether it got more than one text in its last turn. */
  #hadBurst = false;
  #backlog: Backlog | undefined;
  #waiting: Frames | undefined;

  constructor(
    id: string,
    controller: ReadableStreamDefaultController,
    row: Row,
    now: number,
  ) {
    this.id = id;
    this.controller = controller;
    this.#row = row;
    this.#isByteStream = isByteController(controller);
    this.#room = controller.desiredSize ?? 0;
    this.#countsChunks = !this.#isByteStream && this.#room <= MOST_CHUNKS;
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
    this.rouse();
    let waits = text.mayWait;
    if (this.#turn !== turn) {
      waits &&= this.#hadBurst && now - this.#at < BUSY_MS;
      this.#turn = turn;
      this.#hadBurst = false;
      // Who has read everything so far may be given anything within one turn.
      if (this.#backlog === undefined && this.#held() === 0) {
        this.#fresh = 0;
        this.#unseen = 0;
        this.#endsFrame = text.endsFrame;
        if (waits) return this.#wait(bytes, shared);
        this.#at = now;
        if (text.number >= 0 && this.#countsChunks) this.#calm(text);
        else {
          this.#fresh = bytes.length;
          this.controller.enqueue(this.#isByteStream ? bytes.slice() : bytes);
        }
        return "written";
      }
      this.#measure(now)?.allow(this.#row.maxUnread);
    } else {
      this.#hadBurst = true;
      // What it took in earlier turns may be unread.
      if (this.#unseen > 1) this.#measure(now);
    }
    if (!this.#mayHold(bytes.length, now)) return "full";
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

  /** Has it looked at from now on, and no longer take texts as they come. */
  rouse(): void {
    if (!this.#isCalm) return;
    this.#isCalm = false;
    this.#row.calm[this.place] = undefined;
    this.#unseen = this.#note();
  }

  /** Finds out what is unread, so that the recent texts can be forgotten. */
  look(now: number): void {
    if (this.#isCalm && this.#held() === 0) {
      this.#note();
      this.#firstUnseen = this.#row.recent.next;
    } else if (!this.#isRead) this.#measure(now);
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
    return !this.#isCalm && this.#fresh === 0 && this.#unseen === 0 &&
      this.#backlog === undefined;
  }

  /** Takes texts to everyone as they come, from this one on. */
  #calm({ bytes, number }: Text): void {
    this.#isCalm = true;
    this.#firstUnseen = number;
    this.#row.calm[this.place] = this.controller;
    this.controller.enqueue(bytes);
    const held = this.#held();
    if (held === 0 || held === 1) return;
    // In another measure than chunks it could not be told later what is unread.
    this.#countsChunks = false;
    this.rouse();
  }

  /** Catches up on what it took calmly; returns how many texts it was. */
  #note(): number {
    const { recent, reached } = this.#row;
    const isOnItsWay = this.place > reached;
    const count = recent.countFrom(this.#firstUnseen) - (isOnItsWay ? 1 : 0);
    if (count === 0) return 0;
    const last = this.#text(count - 1);
    this.#turn = last.turn;
    this.#at = last.now;
    this.#endsFrame = last.endsFrame;
    return count;
  }

  /** One of the texts that it took calmly. */
  #text(index: number): RecentText {
    return this.#row.recent.after(this.#firstUnseen, index);
  }

  #wait(bytes: Uint8Array<ArrayBuffer>, shared: SharedFrames): Taken {
    const waiting = this.#waiting;
    this.#waiting = waiting === undefined
      ? shared.first(bytes)
      : waiting.append(bytes);
    return waiting === undefined ? "waits" : "written";
  }

  /** Whether as many bytes may come on top of what is unread. */
  #mayHold(bytes: number, now: number): boolean {
    if (this.#backlog === undefined || this.#backlog.spend(bytes)) return true;
    // Some of it may have been read within the turn.
    const waiting = this.#waiting?.length ?? 0;
    this.#measure(now)?.allow(this.#row.maxUnread - waiting);
    return this.#backlog === undefined || this.#backlog.spend(bytes);
  }

  #enqueue(bytes: Uint8Array<ArrayBuffer>, now: number): void {
    // Each chunk on top of another is counted for itself.
    this.rouse();
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
      // That is what it is to be calm.
      if (this.#isCalm) return undefined;
      this.#backlog = undefined;
    } else if (this.#backlog !== undefined) this.#backlog.update(held, now);
    else {
      this.rouse();
      this.#backlog = this.#unread(held, now);
    }
    this.#fresh = 0;
    this.#unseen = 0;
    return this.#backlog;
  }

  /** What is unread, seen for the first time. */
  #unread(held: number, now: number): Backlog {
    const backlog = new Backlog();
    if (this.#unseen === 0) {
      // Without anything of ours it is somebody else's.
      backlog.push(this.#fresh, this.#fresh > 0 ? this.#at : now, held);
      return backlog;
    }
    // In another measure than chunks nobody can tell how many of them it is. So it is
    // one, and from now on the stream is looked at each time. What others wrote is
    // taken for ours.
    if (held > this.#unseen || !Number.isInteger(held)) {
      this.#countsChunks = false;
    }
    const count = this.#countsChunks ? held : 1;
    let fresh = 0;
    for (let pushed = 1; pushed <= count; pushed++) {
      const text = this.#text(this.#unseen - 1 - count + pushed);
      backlog.push(text.bytes, text.now, held * pushed / count);
      if (text.turn === this.#turn) fresh += text.bytes;
    }
    // For the rest of the turn, if it is still the same.
    backlog.allow(this.#row.maxUnread, fresh);
    return backlog;
  }
}
