/** The size of every event on the wire, for all contenders. */
export const EVENT_BYTES = 290;

/** The number of digits in an event's number. */
export const DIGITS = 8;

/** The characters before the digits. */
export const MARK = '"n":"';

/** Formats the number of an event, so that receivers can check the order. */
export function digits(number: number): string {
  return String(number).padStart(DIGITS, "0");
}

/** Returns the padding that makes all events the same length. */
export function padding(others: number): string {
  return "x".repeat(EVENT_BYTES - others);
}
