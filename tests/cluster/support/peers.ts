import type { Delivery } from "@crossmcp/session-manager/testing";
import { HEARTBEAT_MS, MEMORY_MS } from "./timing.ts";

/** How long it may take until nodes that have met know all of each other. */
const JOIN_MS = 1_000;

/**
 * A period in which a node did not hear from another one, until it may forget
 * it.
 */
type Silence = readonly [from: number, to: number];

/** The messages that one node receives from another. */
interface Link {
  /** Since when they know each other. */
  readonly since: number;
  heardAt: number;
  readonly silences: Silence[];
}

/**
 * Which nodes had to forget others: messages between them around that time may
 * be lost.
 */
export class Links {
  readonly #links: Map<string, Link> = new Map();

  /** Records that a message has arrived. */
  received({ from, to }: Delivery, now: number): void {
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

  /** Records that those who have met already know each other. */
  settled(): void {
    for (const [key, link] of this.#links) {
      this.#links.set(key, { ...link, since: -Infinity });
    }
  }

  /** Records that another node takes a name. */
  forget(name: string): void {
    for (const key of this.#links.keys()) {
      if (JSON.parse(key).includes(name)) this.#links.delete(key);
    }
  }

  /**
   * Returns whether two nodes knew each other for some time before and after a
   * moment.
   */
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

/** Checks run now and then, so the time may be over a little earlier. */
function isSilence(ms: number): boolean {
  return ms > MEMORY_MS - HEARTBEAT_MS;
}
