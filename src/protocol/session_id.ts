import { formatValue } from "../format_value.ts";
import { InvalidArgumentError } from "../errors.ts";

/** The longest session ID, in characters. */
const MAX_LENGTH = 256;
const VISIBLE_ASCII = /^[\x21-\x7E]+$/;

/**
 * Returns whether a string is a valid session ID. MCP 2025-11-25, Transports,
 * "Session Management" requires visible ASCII. The maximum length is ours: it
 * keeps clients from filling a store with long IDs.
 */
export function isSessionId(id: string): boolean {
  return id.length > 0 && id.length <= MAX_LENGTH && VISIBLE_ASCII.test(id);
}

/** Throws if a value is not a valid session ID. */
export function assertSessionId(id: unknown): asserts id is string {
  if (typeof id !== "string") {
    throw new InvalidArgumentError(
      "id",
      `A session ID must be a string, but got ${formatValue(id)}.`,
    );
  }
  if (!isSessionId(id)) {
    throw new InvalidArgumentError(
      "id",
      `${formatValue(id)} is not a valid session ID. Use 1 to ${MAX_LENGTH} ` +
        "characters of visible ASCII (0x21 to 0x7E), such as a UUID.",
    );
  }
}
