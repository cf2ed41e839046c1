import { describeOutage, type Outage } from "./outage.ts";

/**
 * An outage of the same kind that begins this soon after the last one is part
 * of it, in milliseconds.
 */
const SAME_OUTAGE_MS = 30_000;

/** The current outage, or the last one. Each kind is reported once. */
export class OutageHistory {
  readonly #report: (error: Error) => void;
  #latest: Outage | undefined;
  #endedAt = 0;
  #count = 0;
  #isOpen = false;
  #ended = 0;
  /** The kinds of outages that were reported in this one. */
  readonly #reported: Set<string> = new Set();

  /** @param report Called with an error for each outage. */
  constructor(report: (error: Error) => void) {
    this.#report = report;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** Whether one is in progress. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** How many have ended. */
  get ended(): number {
    return this.#ended;
  }

  /** Whether the server rejects writes only. */
  get canRead(): boolean {
    return this.#latest?.canRead === true;
  }

  /** Records that an outage has begun. Returns whether the last one goes on. */
  begin(outage: Outage): boolean {
    // A server that is almost full accepts some writes in between.
    const isSame = !outage.isLost && outage.kind === this.#latest?.kind &&
      Date.now() - this.#endedAt < SAME_OUTAGE_MS;
    this.#latest = outage;
    this.#isOpen = true;
    if (isSame) return true;
    this.#count++;
    this.#reported.clear();
    this.#reportOnce(outage);
    return false;
  }

  /** Records that the server no longer answers. */
  onLost(outage: Outage): void {
    if (this.canRead) this.#latest = outage;
  }

  /** An outage that somebody must end is reported, also as part of another. */
  continue(error: unknown): void {
    const outage = describeOutage(error);
    this.#latest = outage;
    if (outage.canRead || outage.kind === "refused") this.#reportOnce(outage);
  }

  /** Records that the server works again. */
  end(): void {
    this.#endedAt = Date.now();
    if (this.#isOpen) this.#ended++;
    this.#isOpen = false;
  }

  #reportOnce({ kind, error }: Outage): void {
    if (this.#reported.has(kind)) return;
    this.#reported.add(kind);
    this.#report(error);
  }
}
