import type { ReplayOptions, ResetReason } from "@crossmcp/session-manager";

interface Event {
  readonly text: string;
  readonly to: ReadonlySet<string> | undefined;
  readonly weight: number;
  readonly at: number;
  isDropped: boolean;
}

/** All three limits. */
export type ReplayLimits = {
  readonly [Option in keyof ReplayOptions]-?: number;
};

/** The missed events, or the reason why they are not available. */
export type Missed = readonly string[] | ResetReason;

/** A replay log that keeps all events, and marks those that were dropped. */
export class ModelLog {
  readonly #limits: ReplayLimits;
  readonly #epoch: string;
  readonly #events: Event[] = [];

  constructor(limits: ReplayLimits, position: string) {
    this.#limits = limits;
    this.#epoch = position.split("-")[0]!;
  }

  /** The ID of the newest event. */
  get position(): string {
    return this.id(this.#events.length);
  }

  /** Returns the ID of the event at an offset; the first is 1. */
  id(place: number): string {
    return `${this.#epoch}-${place}`;
  }

  /** Adds a frame; returns it with its ID. */
  append(to: readonly string[] | undefined, frame: string, at: number): string {
    const text = `${frame.slice(0, -1)}id: ${
      this.id(this.#events.length + 1)
    }\n\n`;
    const ids = to && new Set(to);
    const weight = byteLength(text) +
      (to === undefined || to.length === 1 ? 0 : 64 * ids!.size);
    this.#events.push({ text, to: ids, weight, at, isDropped: false });
    this.#drop(at);
    return text;
  }

  /** Returns what a session missed after an event. */
  missed(
    session: string,
    lastEventId: string,
    since: string | undefined,
    now: number,
  ): Missed {
    this.#drop(now);
    const [epoch, place] = lastEventId.split("-");
    if (epoch !== this.#epoch) return "unknown";
    if (Number(place) > this.#events.length) return "future";
    const began = since === undefined ? 0 : Number(since.split("-")[1]);
    const missed = this.#events.slice(Math.max(Number(place), began))
      .filter(({ to }) => to === undefined || to.has(session));
    return missed.some(({ isDropped }) => isDropped)
      ? "purged"
      : missed.map(({ text }) => text);
  }

  #drop(now: number): void {
    const { maxEvents, maxBytes, maxAgeMs } = this.#limits;
    let bytes = 0;
    for (const [newer, event] of [...this.#events].reverse().entries()) {
      bytes += event.weight;
      event.isDropped ||= newer >= maxEvents || bytes > maxBytes ||
        now - event.at >= maxAgeMs;
    }
  }
}

/** Returns the length of a text in UTF-8 bytes. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
