import { estimateSize, type NewEvent } from "./log_codec.ts";

/** How much is remembered, in characters, and for how many heartbeats. */
const MAX_LENGTH = 16_777_216;
const HEARTBEATS = 20;

/**
 * Events that were appended a short while ago, and may be lost with their
 * server.
 */
export class RecentAppends {
  readonly #ms: number;
  #added: {
    readonly events: readonly NewEvent[];
    readonly offset: number;
    readonly at: number;
  }[] = [];
  #length = 0;

  /** @param heartbeatMs The time between two heartbeats, in milliseconds. */
  constructor(heartbeatMs: number) {
    this.#ms = HEARTBEATS * heartbeatMs;
  }

  /**
   * Adds events.
   *
   * @param events The events.
   * @param offset The newest event of the log when they were appended.
   */
  add(events: readonly NewEvent[], offset: number): void {
    this.#added.push({ events, offset, at: Date.now() });
    this.#length += lengthOf(events);
    this.forgetOld();
  }

  /** Forgets old events. To be called while the server works. */
  forgetOld(): void {
    const oldest = Date.now() - this.#ms;
    for (let [first] = this.#added; first; [first] = this.#added) {
      if (this.#length <= MAX_LENGTH && first.at >= oldest) return;
      this.#length -= lengthOf(first.events);
      this.#added.shift();
    }
  }

  /** The sequence number of the oldest event. */
  get oldest(): number | undefined {
    return this.#added[0]?.events[0]?.seq;
  }

  /** Returns all events, in order. */
  all(): NewEvent[] {
    return this.#added.flatMap(({ events }) => events);
  }

  /** Removes all events and returns them, to be republished. */
  take(): NewEvent[] {
    const taken = this.#added.flatMap(({ events, offset }) =>
      events.map((event) => ({
        ...event,
        isRepublished: true,
        firstAppendedAt: event.firstAppendedAt ?? offset,
      }))
    );
    this.#added = [];
    this.#length = 0;
    return taken;
  }
}

function lengthOf(events: readonly NewEvent[]): number {
  return events.reduce((length, event) => length + estimateSize(event), 0);
}
