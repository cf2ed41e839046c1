const encoder = new TextEncoder();

/** Returns whether a text has more bytes of UTF-8 than a maximum. */
export function exceedsBytes(text: string, maxBytes: number): boolean {
  // A UTF-16 code unit has one to three bytes.
  if (text.length * 3 <= maxBytes) return false;
  return text.length > maxBytes || encoder.encode(text).length > maxBytes;
}
