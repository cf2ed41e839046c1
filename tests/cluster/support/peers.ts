import type { Delivery } from "@crossmcp/session-manager/testing";
import { BEAT_MS, MEMORY_MS } from "./timing.ts";

/** How long it may take until nodes that have met know all of each other. */
const JOIN_MS = 1_000;

/** A time in which a node did not hear of another one, until it may forget it. */
type Silence = readonly [from: number, to: number];

/** What one node hears of another. */
interface Link {
  /** Since when they know each other. */
  readonly since: number;
  heardAt: number;
  readonly silences: Silence[];
}

/**
 * Which nodes had to forget others: what they tell each other around that time may
 * be lost.
 */
export class Links {
  readonly #links: Map<string, Link> = new Map();

  /** Notes that something has arrived. */
  heard({ from, to }: Delivery, now: number): void {
    const key = JSON.stringify([from, to]);
    const link = this.#links.get(key);
    if (link === undefined) {
      this.#links.set(key, {
        since: now + JOIN_MS,
        heardAt: now,
        silences: [],
      });
      return;
    }
    if (isSilence(now - link.heardAt)) link.silences.push([link.heardAt, now]);
    link.heardAt = now;
  }

  /** Notes that those who have met know each other already. */
  settled(): void {
    for (const [key, link] of this.#links) {
      this.#links.set(key, { ...link, since: -Infinity });
    }
  }

  /** Notes that another node takes a name. */
  forget(name: string): void {
    for (const key of this.#links.keys()) {
      if (JSON.parse(key).includes(name)) this.#links.delete(key);
    }
  }

  /** Whether two nodes knew of each other, so long before and after a moment. */
  wereGood(one: string, other: string, at: number, aroundMs: number): boolean {
    return [[one, other], [other, one]].every((names) => {
      const link = this.#links.get(JSON.stringify(names));
      if (link === undefined || link.since > at) return false;
      return !isSilence(at + aroundMs - link.heardAt) &&
        !link.silences.some(([from, to]) =>
          from < at + aroundMs && to > at - aroundMs
        );
    });
  }
}

/** It is looked at now and then, so the time may be over a little earlier. */
function isSilence(ms: number): boolean {
  return ms > MEMORY_MS - BEAT_MS;
}
