import { assert, assertEquals } from "@std/assert";
import { parseSse } from "../support/sse_parser.ts";
import type { Client } from "./client.ts";
import { byteLength } from "./model_log.ts";

/** The limits of a stream. */
export interface StreamLimits {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly keepAliveMs: number;
  readonly coalesce: boolean;
  /** The longest interval between two checks of the manager, in milliseconds. */
  readonly periodMs: number;
}

/** The state of a stream. */
export type Fate =
  | "attached"
  /** All queued data can still be read. */
  | "ended"
  /** Unread data is lost. */
  | "aborted";

/** The bytes of a keep-alive comment, which the model does not see. */
const KEEP_ALIVE_BYTES = 14;
/**
 * After a burst, how long the first text of the next turn is queued as well, in
 * milliseconds.
 */
const BUSY_MS = 1_000;

interface Piece {
  readonly text: string;
  readonly bytes: number;
  readonly at: number;
}

/** The texts that a stream should get, and how much of them was read. */
export class ModelStream {
  readonly client: Client;
  fate: Fate = "attached";
  /** Whether others have ended it. */
  isBroken = false;
  /** Whether others write to it, so that its unread bytes are unknown. */
  isShared: boolean;
  /** Whether the reader has had time to read the writes of this turn. */
  isSettled = true;
  #pieces: Piece[] = [];
  /**
   * The number of written pieces; the others are queued until the end of the
   * turn.
   */
  #written = 0;
  #wroteAt: number;
  /** The time from which a comment may be unread. */
  #commentAt = Infinity;
  /** The number of texts in this turn, and in the previous turn with any. */
  #count = 0;
  #lastCount = 0;
  /** Whether the first text of the turn is queued, too. */
  #queuesFirst = false;
  /** The lower and upper bound of the unread bytes when the turn began. */
  #before: [min: number, max: number] = [0, 0];
  #thisTurn = 0;
  /** The bytes that were read when it began. */
  #read = 0;

  constructor(client: Client, isShared: boolean, now: number) {
    this.client = client;
    this.isShared = isShared;
    this.#wroteAt = now;
  }

  /** The bytes that are written and unread. */
  get unread(): number {
    const written = this.#pieces.slice(0, this.#written);
    return written.reduce((sum, { bytes }) => sum + bytes, 0) -
      this.client.bytes;
  }

  /** The bytes that are queued until the end of the turn. */
  get queued(): number {
    return this.#pieces.slice(this.#written)
      .reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Whether its unread bytes are known exactly. */
  get isKnown(): boolean {
    return !this.isShared && !this.isBroken && this.isSettled &&
      this.#commentAt === Infinity;
  }

  /** Writes a text at once. */
  write(text: string, at: number): void {
    assertEquals(this.queued, 0);
    this.#pieces.push({ text, bytes: byteLength(text), at });
    this.#written++;
    this.#wroteAt = at;
    if (this.client.isEager) this.isSettled = false;
  }

  /**
   * Takes the texts of one send, and checks that the stream was lost or kept
   * correctly.
   *
   * @returns The lower and upper bound of the number of texts it took.
   */
  take(
    texts: readonly string[],
    wasLost: "evicted" | "failed" | undefined,
    { maxBytes, coalesce }: StreamLimits,
    at: number,
  ): [min: number, max: number] {
    if (this.#count === 0) {
      this.#queuesFirst = this.#lastCount > 1 && at - this.#wroteAt < BUSY_MS;
      this.#before = this.#range();
      this.#thisTurn = 0;
      this.#read = this.client.bytes;
    }
    // A reader that reads meanwhile may count as one that has read everything,
    // and a stream that has failed holds nothing.
    if (this.client.bytes > this.#read || this.isBroken) this.#before[0] = 0;
    let min = 0;
    let max = 0;
    const waits = () => coalesce && (this.#count > 0 || this.#queuesFirst);
    let mayBeLost = this.isBroken && !waits();
    let hasToBeLost = mayBeLost;
    for (const text of texts) {
      const bytes = byteLength(text);
      this.#thisTurn += bytes;
      // A reader that has read everything may get any amount within one turn.
      const [hasTo, may] = this.#before.map((before) =>
        before > 0 && before + this.#thisTurn > maxBytes
      );
      mayBeLost ||= may!;
      hasToBeLost ||= hasTo!;
      if (!mayBeLost) min++;
      if (!hasToBeLost) max++;
      this.#add(text, bytes, at, waits());
      this.#count++;
    }
    const name = `The stream of "${this.client.session}"`;
    const state =
      `${this.#before} bytes were unread, and ${this.#thisTurn} were sent since`;
    if (wasLost === undefined) {
      assert(!hasToBeLost, `${name} was kept: ${state}.`);
      return [texts.length, texts.length];
    }
    assert(mayBeLost, `${name} was ${wasLost}: ${state}.`);
    assert(wasLost !== "failed" || this.isBroken, `${name} failed.`);
    this.fate = "aborted";
    return [min, Math.min(max, texts.length - 1)];
  }

  /** Writes what is queued for the stream that it replaces. */
  inherit(older: ModelStream, at: number): void {
    for (const text of older.takeQueued()) this.write(text, at);
  }

  /** Removes and returns the queued texts. */
  takeQueued(): string[] {
    return this.#pieces.splice(this.#written).map(({ text }) => text);
  }

  /** Ends a turn. */
  flush(at: number): void {
    if (this.queued > 0) this.#wroteAt = at;
    this.#written = this.#pieces.length;
    this.#lastCount = this.#count || this.#lastCount;
    this.#count = 0;
  }

  /** Lets the reader catch up. */
  settle(): void {
    this.isSettled = true;
    if (!this.client.holds) this.#commentAt = Infinity;
  }

  /** Checks that the stream was evicted or kept correctly as time passed. */
  age(wasLost: boolean, limits: StreamLimits, now: number): void {
    const { maxAgeMs, keepAliveMs, periodMs } = limits;
    if (now - this.#wroteAt >= keepAliveMs) {
      const earliest = this.#wroteAt + keepAliveMs;
      this.#commentAt = Math.min(this.#commentAt, earliest);
    }
    let bytes = 0;
    const oldest = this.#pieces.slice(0, this.#written)
      .find((piece) => (bytes += piece.bytes) > this.client.bytes)?.at;
    const mayBeSince = Math.min(
      oldest ?? Infinity,
      this.#commentAt,
      this.isShared || this.isBroken ? 0 : Infinity,
    );
    const name = `The stream of "${this.client.session}"`;
    const state = `the oldest byte is from ${oldest}, the time is ${now}`;
    if (wasLost) {
      assert(now - mayBeSince >= maxAgeMs, `${name} was evicted: ${state}.`);
      this.fate = "aborted";
    } else if (!this.isShared && !this.isBroken) {
      const isOld = now - (oldest ?? now) >= maxAgeMs + 2 * periodMs;
      assert(!isOld, `${name} was kept: ${state}.`);
      this.#assertKeptAlive(limits, now);
    }
  }

  /** Checks what the client has received; after its end. */
  verify(isFrames: boolean): void {
    const { text, session, fault, ended } = this.client;
    assertEquals(fault, undefined, `"${session}" ${fault}.`);
    const expected = this.#pieces.map(({ text }) => decoded(text)).join("");
    const isWhole = this.fate === "ended";
    const got = isFrames ? parseSse(text).events : [...text];
    const wanted = isFrames ? parseSse(expected).events : [...expected];
    assertEquals(
      got,
      isWhole ? wanted : wanted.slice(0, got.length) as typeof got,
      `"${session}" received something other than what was sent.`,
    );
    if (isWhole) assertEquals(ended, "closed");
  }

  #add(text: string, bytes: number, at: number, waits: boolean): void {
    this.#pieces.push({ text, bytes, at });
    if (waits) return;
    this.#written = this.#pieces.length;
    this.#wroteAt = at;
    if (this.client.isEager) this.isSettled = false;
  }

  /** Returns the lower and upper bound of the unread bytes. */
  #range(): [min: number, max: number] {
    const { unread } = this;
    if (this.isShared || this.isBroken) return [0, Infinity];
    if (!this.isSettled) return [0, unread];
    return [
      unread,
      unread + (this.#commentAt < Infinity ? KEEP_ALIVE_BYTES : 0),
    ];
  }

  #assertKeptAlive({ keepAliveMs, periodMs }: StreamLimits, now: number) {
    const isIdle = this.client.isEager &&
      (this.#pieces.at(-1)?.text ?? "\n\n").endsWith("\n\n");
    const quiet = now - Math.max(this.client.readAt, this.#wroteAt);
    assert(
      !isIdle || quiet < keepAliveMs + 2 * periodMs,
      `"${this.client.session}" got no keep-alive for ${quiet} ms.`,
    );
  }
}

/** Decodes a text as a reader does: without lone surrogates. */
function decoded(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}
