import { DIGITS, digits, EVENT_BYTES, MARK } from "./events.ts";

const [LF, CR, COLON, ZERO, NINE] = [0x0a, 0x0d, 0x3a, 0x30, 0x39];

/** What comes next on a connection: a response, whose body is chunked. */
type Part = "head" | "size" | "data" | "end";

/**
 * Counts the events of one connection as cheaply as can be: it leaps from event
 * to event and looks at little more than their numbers. It throws when an event
 * is missing, comes twice or out of order, or is of another length. Comments are
 * let pass.
 */
export class EventCounter {
  /** How many events have arrived. */
  events = 0;
  #part: Part = "head";
  #head = "";
  /** How long the chunk is, and how much of it is to come. */
  #left = 0;
  /** What has arrived of an event that did not arrive in one piece. */
  readonly #piece = new Uint8Array(EVENT_BYTES);
  #filled = 0;
  /** Where in an event its number is. */
  #numberAt = -1;

  /**
   * Takes what arrived.
   *
   * @param bytes Where it is; it may be overwritten afterwards.
   * @param length How much it is.
   */
  read(bytes: Uint8Array, length: number): void {
    for (let at = 0; at < length;) {
      if (this.#part === "data") {
        const end = Math.min(length, at + this.#left);
        this.#data(bytes, at, end);
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#part = "end";
        continue;
      }
      const byte = bytes[at++]!;
      if (this.#part === "head") this.#headByte(byte);
      else if (this.#part === "size") this.#sizeByte(byte);
      else if (byte === LF) this.#part = "size";
    }
  }

  #headByte(byte: number): void {
    this.#head += String.fromCharCode(byte);
    if (!this.#head.endsWith("\r\n\r\n")) return;
    if (
      !/^HTTP\/1.1 200 [^]*\r\ntransfer-encoding: chunked\r\n/i.test(this.#head)
    ) {
      throw new Error(`no such answer was expected: ${this.#head}`);
    }
    this.#part = "size";
  }

  #sizeByte(byte: number): void {
    if (byte === LF) {
      if (this.#left === 0) throw new Error("a stream was ended.");
      this.#part = "data";
    } else if (byte !== CR) {
      const digit = byte <= NINE ? byte - ZERO : (byte | 0x20) - 0x57;
      this.#left = this.#left * 16 + digit;
    }
  }

  #data(bytes: Uint8Array, at: number, end: number): void {
    while (at < end) {
      if (
        this.#filled === 0 && end - at >= EVENT_BYTES && bytes[at] !== COLON
      ) {
        this.#event(bytes, at);
        at += EVENT_BYTES;
      } else {
        this.#pieceByte(bytes[at++]!);
      }
    }
  }

  #pieceByte(byte: number): void {
    const piece = this.#piece;
    piece[this.#filled++] = byte;
    const isComment = piece[0] === COLON;
    if (isComment && byte === LF && piece[this.#filled - 2] === LF) {
      this.#filled = 0;
    } else if (this.#filled === EVENT_BYTES) {
      this.#filled = 0;
      this.#event(piece, 0);
    }
  }

  #event(bytes: Uint8Array, at: number): void {
    if (this.#numberAt === -1) {
      const text = String.fromCharCode(...bytes.subarray(at, at + EVENT_BYTES));
      this.#numberAt = text.indexOf(MARK) + MARK.length;
    }
    let number = 0;
    const first = at + this.#numberAt;
    for (let digit = first; digit < first + DIGITS; digit++) {
      number = number * 10 + bytes[digit]! - ZERO;
    }
    const last = at + EVENT_BYTES - 1;
    if (
      number !== ++this.events || bytes[last] !== LF || bytes[last - 1] !== LF
    ) {
      const text = String.fromCharCode(...bytes.subarray(at, at + EVENT_BYTES));
      throw new Error(
        `event ${digits(this.events)} should have come, not ` +
          JSON.stringify(text),
      );
    }
  }
}
