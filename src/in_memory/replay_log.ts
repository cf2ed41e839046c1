import type { ResetReason } from "../options.ts";
import type { ReplaySettings } from "../resolve_options.ts";

/** Whom a text is for: one session, several, or everyone. */
export type Targets = string | ReadonlySet<string> | undefined;

interface Entry {
  readonly targets: Targets;
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly weight: number;
  readonly at: number;
}

/** What a target adds to what an event weighs, in bytes. */
const TARGET_WEIGHT = 64;
const POSITION = /^([0-9a-f]{16})-(0|[1-9][0-9]{0,15})$/;

/**
 * The events of the recent past, kept once for all sessions. An event's id is
 * `epoch-offset`: which log, and its place there.
 */
export class ReplayLog {
  readonly #limits: ReplaySettings;
  readonly #epoch = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  readonly #entries: Entry[] = [];
  #head = 0;
  #weight = 0;
  /** Offset of the newest event. */
  #last = 0;
  readonly #purged: Purged;

  constructor(limits: ReplaySettings) {
    this.#limits = limits;
    this.#purged = new Purged(Math.min(limits.maxEvents, 100_000));
  }

  /** The id of the newest event. */
  get position(): string {
    return `${this.#epoch}-${this.#last}`;
  }

  /** The id that the next event will have. */
  get next(): string {
    return `${this.#epoch}-${this.#last + 1}`;
  }

  /** Adds the next event. */
  append(targets: Targets, frame: Uint8Array<ArrayBuffer>, now: number): void {
    const weight = frame.length +
      (typeof targets === "object" ? targets.size * TARGET_WEIGHT : 0);
    this.#entries.push({ targets, frame, weight, at: now });
    this.#weight += weight;
    this.#last++;
    this.purge(now);
  }

  /** Drops what is too old or too much. */
  purge(now: number): void {
    const { maxEvents, maxBytes, maxAgeMs } = this.#limits;
    while (this.#head < this.#entries.length) {
      const count = this.#entries.length - this.#head;
      const { targets, weight, at } = this.#entries[this.#head]!;
      const fits = count <= maxEvents && this.#weight <= maxBytes &&
        now - at < maxAgeMs;
      if (fits) break;
      this.#purged.add(targets, this.#last - count + 1);
      this.#weight -= weight;
      this.#head++;
    }
    if (this.#head * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Whether anything is left to get old. */
  get isEmpty(): boolean {
    return this.#head === this.#entries.length;
  }

  /**
   * What a session has missed.
   *
   * @param session The session.
   * @param lastEventId What it got last, as it says.
   * @param since The position when the session began: what is before is not its.
   */
  after(
    session: string,
    lastEventId: string,
    since: string | undefined,
    now: number,
  ): Uint8Array<ArrayBuffer>[] | ResetReason {
    this.purge(now);
    const claimed = this.#offsetOf(lastEventId);
    if (claimed === undefined) return "unknown";
    if (claimed > this.#last) return "future";
    const start = since === undefined ? undefined : this.#offsetOf(since);
    const offset = Math.max(claimed, start ?? 0);
    if (this.#purged.has(session, offset)) return "purged";
    const frames: Uint8Array<ArrayBuffer>[] = [];
    const kept = this.#entries.length - this.#head;
    const missed = Math.min(this.#last - offset, kept);
    for (const { targets, frame } of this.#entries.slice(-missed || Infinity)) {
      if (isFor(session, targets)) frames.push(frame);
    }
    return frames;
  }

  #offsetOf(id: string): number | undefined {
    const [, epoch, offset] = POSITION.exec(id) ?? [];
    return epoch === this.#epoch ? Number(offset) : undefined;
  }
}

function isFor(session: string, targets: Targets): boolean {
  if (targets === undefined || targets === session) return true;
  return typeof targets === "object" && targets.has(session);
}

/**
 * Up to where events were dropped, for everyone and for single sessions: a session
 * that none of them was for has missed nothing, however long it got none.
 */
class Purged {
  readonly #maxSessions: number;
  readonly #bySession: Map<string, number> = new Map();
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
    } else if (typeof targets === "string") this.#note(targets, offset);
    else for (const session of targets) this.#note(session, offset);
  }

  /** Whether an event for a session may have been dropped after an offset. */
  has(session: string, offset: number): boolean {
    return offset < this.#forEveryone ||
      offset < (this.#bySession.get(session) ?? 0);
  }

  #note(session: string, offset: number): void {
    this.#bySession.delete(session);
    this.#bySession.set(session, offset);
    if (this.#bySession.size <= this.#maxSessions) return;
    const [oldest, last] = this.#bySession.entries().next().value!;
    this.#bySession.delete(oldest);
    // Rather one reset too many than one too few.
    this.#forEveryone = Math.max(this.#forEveryone, last);
  }
}
