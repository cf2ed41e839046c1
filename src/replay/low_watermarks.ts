import { setNewest } from "../runtime/lru_map.ts";
import type { Targets } from "./recipients.ts";

/**
 * Up to where events were dropped, for everyone and for single sessions: a session
 * that none of them was for has missed nothing, however long it got none.
 */
export class Purged {
  readonly #maxSessions: number;
  readonly #bySession: Map<string, number> = new Map();
  readonly #forgotten: Map<string, number> = new Map();
  #forEveryone = 0;

  constructor(maxSessions: number) {
    this.#maxSessions = maxSessions;
  }

  /** Notes that the event at an offset was dropped. */
  add(targets: Targets, offset: number): void {
    if (targets === undefined) {
      this.#forEveryone = offset;
      // All that is noted of single sessions came before.
      this.#bySession.clear();
      return;
    }
    const sessions = typeof targets === "string" ? [targets] : targets;
    for (const session of sessions) {
      this.#note(this.#bySession, session, offset);
    }
  }

  /** Notes that a session has left: what it missed up to an offset is elsewhere. */
  forget(session: string, offset: number): void {
    this.#note(this.#forgotten, session, offset);
  }

  /** Up to which offset a session was elsewhere, 0 if it never was. */
  forgotten(session: string): number {
    return this.#forgotten.get(session) ?? 0;
  }

  /** Whether an event for a session may have been dropped after an offset. */
  has(session: string, offset: number): boolean {
    return offset < this.#forEveryone ||
      offset < (this.#bySession.get(session) ?? 0) ||
      offset < this.forgotten(session);
  }

  #note(notes: Map<string, number>, session: string, offset: number): void {
    setNewest(notes, session, offset);
    if (notes.size <= this.#maxSessions) return;
    const [oldest, last] = notes.entries().next().value!;
    notes.delete(oldest);
    // Rather one reset too many than one too few.
    this.#forEveryone = Math.max(this.#forEveryone, last);
  }
}
