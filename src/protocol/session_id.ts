import { formatValue } from "../runtime/describe.ts";
import { InvalidArgumentError } from "../errors.ts";

/** Longest session id, in characters. */
const MAX_LENGTH = 256;
const VISIBLE_ASCII = /^[\x21-\x7E]+$/;

/**
 * Whether a text can be a session id. MCP 2025-11-25, Transports, "Session
 * Management" asks for visible ASCII; the length is ours, so that a client cannot
 * make a store grow by the size of its ids.
 */
export function isSessionId(id: string): boolean {
  return id.length > 0 && id.length <= MAX_LENGTH && VISIBLE_ASCII.test(id);
}

/** Refuses what cannot be a session id. */
export function assertSessionId(id: unknown): asserts id is string {
  if (typeof id !== "string") {
    throw new InvalidArgumentError(
      "id",
      `A session id has to be a string, not ${formatValue(id)}.`,
    );
  }
  if (!isSessionId(id)) {
    throw new InvalidArgumentError(
      "id",
      `${formatValue(id)} cannot be a session id. Use 1 to ${MAX_LENGTH} ` +
        "characters of visible ASCII (0x21 to 0x7E), such as a UUID.",
    );
  }
}
