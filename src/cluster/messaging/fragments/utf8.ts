const encoder = new TextEncoder();
const scratch = new Uint8Array(16_384);

/** Returns the length of a text in bytes of UTF-8. */
export function utf8Length(text: string): number {
  return encodeUpTo(text, 0, Infinity).bytes;
}

/**
 * Returns the end of the longest part of a text that is at most so many bytes
 * long in UTF-8. Surrogate pairs are not divided.
 *
 * @param text The text.
 * @param start Where the part begins, in characters.
 * @param maxBytes The limit.
 */
export function utf8End(text: string, start: number, maxBytes: number): number {
  return encodeUpTo(text, start, maxBytes).end;
}

/** Encodes in small steps: this is the fastest way to count bytes. */
function encodeUpTo(
  text: string,
  start: number,
  maxBytes: number,
): { end: number; bytes: number } {
  let end = start;
  let bytes = 0;
  while (end < text.length && bytes < maxBytes) {
    const room = Math.min(scratch.length, maxBytes - bytes);
    let stop = Math.min(end + room, text.length);
    if (stop < text.length && isHighSurrogate(text, stop - 1)) stop--;
    const { read, written } = encoder.encodeInto(
      text.slice(end, stop),
      room === scratch.length ? scratch : scratch.subarray(0, room),
    );
    if (read === 0) break;
    end += read;
    bytes += written;
  }
  return { end, bytes };
}

function isHighSurrogate(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code >= 0xd800 && code <= 0xdbff;
}
