import { estimateSize, type NewEvent } from "./log_codec.ts";

/** How much is remembered, in characters, and for how many beats. */
const MAX_LENGTH = 16_777_216;
const HEARTBEATS = 20;

/** What was added to a log a short while ago, and may be lost with its server. */
export class RecentAppends {
  readonly #ms: number;
  #added: { readonly events: readonly NewEvent[]; readonly at: number }[] = [];
  #length = 0;

  /** @param heartbeatMs How often nodes show that they live, in milliseconds. */
  constructor(heartbeatMs: number) {
    this.#ms = HEARTBEATS * heartbeatMs;
  }

  /** Remembers events, and forgets older ones. */
  add(events: readonly NewEvent[]): void {
    const at = Date.now();
    this.#added.push({ events, at });
    this.#length += lengthOf(events);
    while (this.#length > MAX_LENGTH || this.#added[0]!.at < at - this.#ms) {
      this.#length -= lengthOf(this.#added.shift()!.events);
    }
  }

  /** All that is remembered, in its order. */
  all(): NewEvent[] {
    return this.#added.flatMap(({ events }) => events);
  }

  /** Takes all that is remembered, to be added again. */
  take(): NewEvent[] {
    const taken = this.#added.flatMap(({ events }) =>
      events.map((event) => ({ ...event, isRepublished: true }))
    );
    this.#added = [];
    this.#length = 0;
    return taken;
  }
}

function lengthOf(events: readonly NewEvent[]): number {
  return events.reduce((length, event) => length + estimateSize(event), 0);
}
