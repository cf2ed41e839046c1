import type { ReplaySettings } from "../contracts/resolve_options.ts";
import type { Recipients } from "./recipients.ts";
import { isRequestKey, sessionIdOf } from "./request_key.ts";
import type { Entry } from "./entry.ts";

/** What a session may always have, however small the log is. */
const MIN_EVENTS = 100;
const MIN_BYTES = 65_536;

/** The events that are for one session only. */
export interface SessionShare {
  readonly session: string;
  events: number;
  bytes: number;
  /** Earlier events are not for it, or were dropped. */
  oldest: number;
}

/**
 * How much of the log each session takes with events for it alone, so that a
 * busy session does not push out the events of others. Events of the responses
 * to its requests count as well.
 */
export class SessionShares {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #shares: Map<string, SessionShare> = new Map();
  readonly #exceeding: Set<SessionShare> = new Set();

  /** @param limits The limits of the log. */
  constructor({ maxEvents, maxBytes, maxShare }: ReplaySettings) {
    this.#maxEvents = minEvents(maxEvents, maxShare);
    this.#maxBytes = Math.max(maxBytes * maxShare, MIN_BYTES);
  }

  /** Counts an event. */
  add({ recipients, weight, offset }: Entry): void {
    if (typeof recipients !== "string") return;
    const session = sessionOf(recipients);
    let share = this.#shares.get(session);
    if (share === undefined) {
      share = { session, events: 0, bytes: 0, oldest: offset };
      this.#shares.set(session, share);
    }
    share.events++;
    share.bytes += weight;
    if (this.#exceeds(share)) this.#exceeding.add(share);
  }

  /** Counts an event no longer. */
  remove({ recipients, weight, offset }: Entry): void {
    if (typeof recipients !== "string") return;
    const session = sessionOf(recipients);
    const share = this.#shares.get(session);
    if (share === undefined) return;
    share.events--;
    share.bytes -= weight;
    share.oldest = offset + 1;
    if (share.events === 0) this.#shares.delete(session);
    if (!this.#exceeds(share)) this.#exceeding.delete(share);
  }

  /** Returns a session that takes more than its share, if there is one. */
  get exceeding(): SessionShare | undefined {
    if (this.#exceeding.size === 0) return undefined;
    return this.#exceeding.values().next().value;
  }

  #exceeds({ events, bytes }: SessionShare): boolean {
    return events > this.#maxEvents || bytes > this.#maxBytes;
  }
}

/** Returns how many events a session may always have. */
export function minEvents(maxEvents: number, maxShare: number): number {
  return Math.max(maxEvents * maxShare, MIN_EVENTS);
}

/** Returns whether an event is for one session only. */
export function isOnlyFor(session: string, recipients: Recipients): boolean {
  return typeof recipients === "string" && sessionOf(recipients) === session;
}

function sessionOf(recipient: string): string {
  return isRequestKey(recipient) ? sessionIdOf(recipient) : recipient;
}
