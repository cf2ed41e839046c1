/** PostgreSQL cannot store NUL. The cluster never sends it, other users may. */
const NUL = "\0";
const ESCAPE = "\x01";

/** Encodes a message as a payload: without NUL. */
export function encodePayload(message: string): string {
  return message.includes(NUL) || message.includes(ESCAPE)
    ? message.replaceAll(ESCAPE, `${ESCAPE}1`).replaceAll(NUL, `${ESCAPE}0`)
    : message;
}

/** Decodes a payload. */
export function decodePayload(payload: string): string {
  return payload.includes(ESCAPE)
    ? payload.replaceAll(`${ESCAPE}0`, NUL).replaceAll(`${ESCAPE}1`, ESCAPE)
    : payload;
}
