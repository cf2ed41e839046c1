/** How long every event is on the wire, whoever sends it. */
export const EVENT_BYTES = 290;

/** How many digits the number of an event has. */
export const DIGITS = 8;

/** What stands before the digits. */
export const MARK = '"n":"';

/** The number of an event as it is sent, so that receivers can check the order. */
export function digits(number: number): string {
  return String(number).padStart(DIGITS, "0");
}

/** What makes an event as long as it has to be. */
export function padding(others: number): string {
  return "x".repeat(EVENT_BYTES - others);
}
