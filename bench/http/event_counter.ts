import { DIGITS, digits, EVENT_BYTES, MARK } from "./events.ts";

const [LF, CR, COLON, ZERO, NINE] = [0x0a, 0x0d, 0x3a, 0x30, 0x39];

/** The next part of an HTTP response with a chunked body. */
type Part = "head" | "size" | "data" | "end";

/**
 * Counts the events of one connection as cheaply as possible: it jumps from
 * event to event and reads little more than their numbers. It throws if an
 * event is missing, duplicated, out of order, or of another length. Comments
 * are skipped.
 */
export class EventCounter {
  /** The number of events received. */
  events = 0;
  #part: Part = "head";
  #head = "";
  /** The bytes of the current chunk still to come. */
  #left = 0;
  /** The received bytes of an incomplete event. */
  readonly #piece = new Uint8Array(EVENT_BYTES);
  #filled = 0;
  /** The offset of the number within an event. */
  #numberAt = -1;

  /**
   * Reads received bytes.
   *
   * @param bytes The buffer, which may be overwritten afterwards.
   * @param length The number of bytes in it.
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
      throw new Error(`Unexpected response: ${this.#head}`);
    }
    this.#part = "size";
  }

  #sizeByte(byte: number): void {
    if (byte === LF) {
      if (this.#left === 0) throw new Error("A stream ended.");
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
        `Expected event ${digits(this.events)}, but got ` +
          JSON.stringify(text),
      );
    }
  }
}
