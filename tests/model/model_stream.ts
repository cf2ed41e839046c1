import { assert, assertEquals } from "@std/assert";
import { parseSse } from "../support/sse_parser.ts";
import type { Client } from "./client.ts";
import { byteLength } from "./model_log.ts";

/** Limits of one stream, in full. */
export interface StreamLimits {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly keepAliveMs: number;
  readonly coalesce: boolean;
  /** How often the manager looks, at most. */
  readonly periodMs: number;
}

/** What became of a stream. */
export type Fate =
  | "attached"
  /** Everything it was given can still be read. */
  | "ended"
  /** Broken off: what was unread then is lost. */
  | "broken off";

/** Bytes of a keep-alive comment, which nobody told us of. */
const KEEP_ALIVE_BYTES = 14;
/** For how long a turn with several texts makes the next one's first text wait. */
const BUSY_MS = 1_000;

interface Piece {
  readonly text: string;
  readonly bytes: number;
  readonly at: number;
}

/** What a stream is to get, and how much of that has been read. */
export class ModelStream {
  readonly client: Client;
  fate: Fate = "attached";
  /** Whether somebody else has ended it. */
  isBroken = false;
  /** Whether others write to it, so that nobody knows how much of it is unread. */
  isVague: boolean;
  /** Whether a write of this turn has gone through. */
  isSettled = true;
  #pieces: Piece[] = [];
  /** How many pieces are written; the others wait for the end of the turn. */
  #written = 0;
  #wroteAt: number;
  /** Since when a comment may be unread. */
  #commentAt = Infinity;
  /** How many texts came in this turn, and in the one before with any. */
  #count = 0;
  #lastCount = 0;
  /** Whether the turn's first text waits like the others. */
  #firstWaits = false;
  /** Bytes that were unread when the turn began: at least, at most. */
  #before: [least: number, most: number] = [0, 0];
  #thisTurn = 0;
  /** Bytes that were read when it began. */
  #read = 0;

  constructor(client: Client, isVague: boolean, now: number) {
    this.client = client;
    this.isVague = isVague;
    this.#wroteAt = now;
  }

  /** Bytes that are written and unread. */
  get unread(): number {
    const written = this.#pieces.slice(0, this.#written);
    return written.reduce((sum, { bytes }) => sum + bytes, 0) -
      this.client.bytes;
  }

  /** Bytes that wait. */
  get waiting(): number {
    return this.#pieces.slice(this.#written)
      .reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Whether what others do can be left out. */
  get isKnown(): boolean {
    return !this.isVague && !this.isBroken && this.isSettled &&
      this.#commentAt === Infinity;
  }

  /** Writes a text at once. */
  write(text: string, at: number): void {
    assertEquals(this.waiting, 0);
    this.#pieces.push({ text, bytes: byteLength(text), at });
    this.#written++;
    this.#wroteAt = at;
    if (this.client.isEager) this.isSettled = false;
  }

  /**
   * Takes the texts of one send, and checks what became of the stream by them.
   *
   * @returns How many it took, at least and at most.
   */
  take(
    texts: readonly string[],
    wasLost: "evicted" | "failed" | undefined,
    { maxBytes, coalesce }: StreamLimits,
    at: number,
  ): [least: number, most: number] {
    if (this.#count === 0) {
      this.#firstWaits = this.#lastCount > 1 && at - this.#wroteAt < BUSY_MS;
      this.#before = this.#range();
      this.#thisTurn = 0;
      this.#read = this.client.bytes;
    }
    // Who reads meanwhile may be taken for one who has read everything, and a
    // stream that has failed holds nothing.
    if (this.client.bytes > this.#read || this.isBroken) this.#before[0] = 0;
    let least = 0;
    let most = 0;
    const waits = () => coalesce && (this.#count > 0 || this.#firstWaits);
    let mayBeLost = this.isBroken && !waits();
    let hasToBeLost = mayBeLost;
    for (const text of texts) {
      const bytes = byteLength(text);
      this.#thisTurn += bytes;
      // Who has read everything so far may be given anything within one turn.
      const [hasTo, may] = this.#before.map((before) =>
        before > 0 && before + this.#thisTurn > maxBytes
      );
      mayBeLost ||= may!;
      hasToBeLost ||= hasTo!;
      if (!mayBeLost) least++;
      if (!hasToBeLost) most++;
      this.#add(text, bytes, at, waits());
      this.#count++;
    }
    const name = `The stream of "${this.client.session}"`;
    const state =
      `${this.#before} bytes were unread, ${this.#thisTurn} came since`;
    if (wasLost === undefined) {
      assert(!hasToBeLost, `${name} was kept: ${state}.`);
      return [texts.length, texts.length];
    }
    assert(mayBeLost, `${name} was ${wasLost}: ${state}.`);
    assert(wasLost !== "failed" || this.isBroken, `${name} failed.`);
    this.fate = "broken off";
    return [least, Math.min(most, texts.length - 1)];
  }

  /** Takes over what waits to be written to an older stream. */
  inherit(older: ModelStream, at: number): void {
    for (const text of older.giveWaiting()) this.write(text, at);
  }

  /** Gives away what waits. */
  giveWaiting(): string[] {
    return this.#pieces.splice(this.#written).map(({ text }) => text);
  }

  /** The turn ends. */
  flush(at: number): void {
    if (this.waiting > 0) this.#wroteAt = at;
    this.#written = this.#pieces.length;
    this.#lastCount = this.#count || this.#lastCount;
    this.#count = 0;
  }

  /** All that could happen without another turn has. */
  settle(): void {
    this.isSettled = true;
    if (!this.client.holds) this.#commentAt = Infinity;
  }

  /** Some time has passed; checks what became of the stream by that. */
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
      this.isVague || this.isBroken ? 0 : Infinity,
    );
    const name = `The stream of "${this.client.session}"`;
    const state = `the oldest byte is of ${oldest}, now it is ${now}`;
    if (wasLost) {
      assert(now - mayBeSince >= maxAgeMs, `${name} was evicted: ${state}.`);
      this.fate = "broken off";
    } else if (!this.isVague && !this.isBroken) {
      const isOld = now - (oldest ?? now) >= maxAgeMs + 2 * periodMs;
      assert(!isOld, `${name} was kept: ${state}.`);
      this.#assertKeptAlive(limits, now);
    }
  }

  /** Checks what the client has got; after its end. */
  verify(isFrames: boolean): void {
    const { text, session, complaint, ended } = this.client;
    assertEquals(complaint, undefined, `"${session}" ${complaint}.`);
    const expected = this.#pieces.map(({ text }) => decoded(text)).join("");
    const isWhole = this.fate === "ended";
    const got = isFrames ? parseSse(text).events : [...text];
    const wanted = isFrames ? parseSse(expected).events : [...expected];
    assertEquals(
      got,
      isWhole ? wanted : wanted.slice(0, got.length) as typeof got,
      `"${session}" got something else than what was sent to it.`,
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

  /** How many bytes are unread now. */
  #range(): [least: number, most: number] {
    const { unread } = this;
    if (this.isVague || this.isBroken) return [0, Infinity];
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
      `"${this.client.session}" was not kept alive for ${quiet} ms.`,
    );
  }
}

/** As a reader sees it: without lone surrogates. */
function decoded(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}
