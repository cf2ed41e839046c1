/** Milliseconds on a clock that all processes of this machine share. */
function clock(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * An event that tells when it was sent.
 *
 * @param number Its number, one more than that of the event before.
 * @param bytes How long it is.
 */
export function loadEvent(number: number, bytes: number = 1_024): string {
  return `data: ${clock().toFixed(3)} ${number} `.padEnd(bytes - 2, "x") +
    "\n\n";
}

/** Told of each event, and how many milliseconds it took. */
export type OnEvent = (number: number, ms: number) => void;

const EVENT = /data: ([\d.]+) (\d+) x*\n/g;

/** Finds events in what one connection receives, however it was cut. */
export class EventReader {
  /** Number of the newest event. */
  last: number | undefined;
  /** How many events were missing, came twice or out of order. */
  sequenceErrors = 0;
  readonly #onEvent: OnEvent;
  #rest = "";

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent;
  }

  /** Takes what has arrived. */
  read(text: string): void {
    const now = clock();
    const lines = this.#rest + text;
    for (const [, sentAt, digits] of lines.matchAll(EVENT)) {
      const number = Number(digits);
      if (this.last !== undefined && number !== this.last + 1) {
        this.sequenceErrors++;
      }
      this.last = number;
      this.#onEvent(number, now - Number(sentAt));
    }
    this.#rest = lines.slice(lines.lastIndexOf("\n") + 1);
  }
}
