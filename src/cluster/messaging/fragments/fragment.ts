/**
 * How a fragment looks on the bus: `+`, a header as JSON, a line break, and the
 * part of the packet. The part is not encoded again, which would make it longer.
 *
 * @module
 */
import { type Fragment, type Packet, VERSION } from "../protocol.ts";
import { utf8End, utf8Length } from "./utf8.ts";

const MARK = "+";
/** The shortest part, in bytes, should a bus lower its limit to a few bytes. */
const MIN_PART_BYTES = 1_024;

/** Returns whether a text is a fragment. No packet begins like one. */
export function isFragment(text: string): boolean {
  return text.startsWith(MARK);
}

/** Which part of which packet a fragment is, and who sends it. */
export interface FragmentPosition
  extends Pick<Fragment, "id" | "start">, Pick<Packet, "from" | "incarnation"> {
}

/**
 * Returns the fragment that begins at a position, and where it ends. The same
 * arguments give the same fragment.
 *
 * @param packet The packet.
 * @param position Where the fragment begins.
 * @param maxBytes The longest fragment, in bytes of UTF-8.
 */
export function cut(
  packet: string,
  { id, start, from, incarnation }: FragmentPosition,
  maxBytes: number,
): { fragment: string; end: number } {
  const { length } = packet;
  const header = `${MARK}${
    JSON.stringify({ v: VERSION, from, incarnation, id, start, length })
  }\n`;
  const room = maxBytes - utf8Length(header);
  const end = utf8End(packet, start, Math.max(room, MIN_PART_BYTES));
  return { fragment: header + packet.slice(start, end), end };
}

/** Parses a fragment; `undefined` if it is malformed or of another version. */
export function readFragment(fragment: string): Packet | undefined {
  const headerEnd = fragment.indexOf("\n");
  if (headerEnd < 0) return undefined;
  let header: Partial<Fragment & Packet> | null;
  try {
    header = JSON.parse(fragment.slice(MARK.length, headerEnd));
  } catch {
    return undefined;
  }
  if (typeof header !== "object" || header === null) return undefined;
  const { v, from, incarnation, id, start, length } = header;
  const text = fragment.slice(headerEnd + 1);
  const isValid = v === VERSION && typeof from === "string" &&
    [incarnation, id, start, length].every(Number.isSafeInteger) &&
    start! >= 0 && text !== "" && start! + text.length <= length!;
  return isValid
    ? {
      kind: "fragment",
      v,
      from,
      incarnation: incarnation!,
      id: id!,
      start: start!,
      length: length!,
      text,
    }
    : undefined;
}
