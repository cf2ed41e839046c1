import { touch } from "../runtime/lru_map.ts";
import type { Recipients } from "./recipients.ts";

/**
 * Up to where events were dropped, for everyone and for single sessions: a session
 * that none of them was for has missed nothing, however long it got none.
 */
export class LowWatermarks {
  readonly #maxSessions: number;
  readonly #trimmedUpTo: Map<string, number> = new Map();
  readonly #handedOffAt: Map<string, number> = new Map();
  #broadcastsTrimmedUpTo = 0;

  constructor(maxSessions: number) {
    this.#maxSessions = maxSessions;
  }

  /** Notes that the event at an offset was dropped. */
  trim(targets: Recipients, offset: number): void {
    if (targets === undefined) {
      this.#broadcastsTrimmedUpTo = offset;
      // All that is noted of single sessions came before.
      this.#trimmedUpTo.clear();
      return;
    }
    const sessions = typeof targets === "string" ? [targets] : targets;
    for (const session of sessions) {
      this.#note(this.#trimmedUpTo, session, offset);
    }
  }

  /** Notes that a session has left: what it missed up to an offset is elsewhere. */
  markHandedOff(session: string, offset: number): void {
    this.#note(this.#handedOffAt, session, offset);
  }

  /** Up to which offset a session was elsewhere, 0 if it never was. */
  handedOffAt(session: string): number {
    return this.#handedOffAt.get(session) ?? 0;
  }

  /** Whether an event for a session may have been dropped after an offset. */
  isTrimmed(session: string, offset: number): boolean {
    return offset < this.#broadcastsTrimmedUpTo ||
      offset < (this.#trimmedUpTo.get(session) ?? 0) ||
      offset < this.handedOffAt(session);
  }

  #note(notes: Map<string, number>, session: string, offset: number): void {
    touch(notes, session, offset);
    if (notes.size <= this.#maxSessions) return;
    const [oldest, last] = notes.entries().next().value!;
    notes.delete(oldest);
    // Rather one reset too many than one too few.
    this.#broadcastsTrimmedUpTo = Math.max(this.#broadcastsTrimmedUpTo, last);
  }
}
