/** Returns milliseconds of a clock that all processes on this machine share. */
function clock(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * Returns an event that contains the time at which it was sent.
 *
 * @param number The sequence number of the event.
 * @param bytes The length of the event.
 */
export function loadEvent(number: number, bytes: number = 1_024): string {
  return `data: ${clock().toFixed(3)} ${number} `.padEnd(bytes - 2, "x") +
    "\n\n";
}

/** Called for each event with its number and latency. */
export type OnEvent = (number: number, ms: number) => void;

const EVENT = /data: ([\d.]+) (\d+) x*\n/g;

/** Parses the events of one connection from chunks of text. */
export class EventReader {
  /** Number of the newest event. */
  last: number | undefined;
  /** Number of missing, repeated or misplaced events. */
  sequenceErrors = 0;
  readonly #onEvent: OnEvent;
  #rest = "";

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent;
  }

  /** Parses the next chunk. */
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
