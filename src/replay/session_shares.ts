import type { ReplaySettings } from "../contracts/resolve_options.ts";
import type { Recipients } from "./recipients.ts";
import { isRequestKey, sessionIdOf } from "./request_key.ts";
import type { Entry, SessionShare } from "./entry.ts";

/** What a session may always have, however small the log is. */
const MIN_EVENTS = 100;
const MIN_BYTES = 65_536;

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

  /** Counts an event. Returns the share that it is part of, if any. */
  add(
    recipients: Recipients,
    offset: number,
    weight: number,
  ): SessionShare | undefined {
    if (typeof recipients !== "string") return undefined;
    const session = sessionOf(recipients);
    let share = this.#shares.get(session);
    if (share === undefined) {
      share = { session, events: 0, bytes: 0, oldest: offset };
      this.#shares.set(session, share);
    }
    share.events++;
    share.bytes += weight;
    if (this.#exceeds(share)) this.#exceeding.add(share);
    return share;
  }

  /** Counts an event no longer. */
  remove({ share, weight, offset }: Entry): void {
    if (share === undefined) return;
    share.events--;
    share.bytes -= weight;
    share.oldest = offset + 1;
    if (share.events === 0) this.#shares.delete(share.session);
    if (this.#exceeding.size === 0 || this.#exceeds(share)) return;
    this.#exceeding.delete(share);
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

function sessionOf(recipient: string): string {
  return isRequestKey(recipient) ? sessionIdOf(recipient) : recipient;
}
