import type { ResetReason } from "../contracts/options.ts";
import type { ReplaySettings } from "../contracts/resolve_options.ts";
import { withSseId } from "../protocol/sse.ts";
import { Moves, type Origin } from "./version_vector.ts";
import type { Targets } from "./recipients.ts";
import { Purged } from "./low_watermarks.ts";

interface Entry {
  readonly targets: Targets;
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly weight: number;
  readonly at: number;
  readonly origin: Origin | undefined;
}

/** What a session has missed that moves to another node. */
export interface MissedEvents {
  readonly frames: readonly string[];
  /** Up to which text to everyone of each sender this goes. */
  readonly heard: Readonly<Record<string, number>>;
}

/** What a target adds to what an event weighs, in bytes. */
const TARGET_WEIGHT = 64;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
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
  readonly #moves = new Moves();

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
  append(
    targets: Targets,
    frame: Uint8Array<ArrayBuffer>,
    now: number,
    origin?: Origin,
  ): void {
    if (origin !== undefined) this.#moves.heard(origin);
    const weight = frame.length +
      (typeof targets === "object" ? targets.size * TARGET_WEIGHT : 0);
    this.#entries.push({ targets, frame, weight, at: now, origin });
    this.#weight += weight;
    this.#last++;
    this.purge(now);
  }

  /** Drops what is too old or too much. */
  purge(now: number): void {
    const { maxEvents, maxBytes, maxAgeMs } = this.#limits;
    while (this.#head < this.#entries.length) {
      const count = this.#entries.length - this.#head;
      const { targets, weight, at, origin } = this.#entries[this.#head]!;
      const fits = count <= maxEvents && this.#weight <= maxBytes &&
        now - at < maxAgeMs;
      if (fits) break;
      this.#purged.add(targets, this.#last - count + 1);
      if (origin !== undefined) this.#moves.purged(origin);
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
    const claimed = this.#offsetOf(
      this.#moves.positionOf(session, lastEventId),
    );
    if (claimed === undefined) return "unknown";
    if (claimed > this.#last) return "future";
    const offset = Math.max(claimed, this.#start(since));
    if (this.#purged.has(session, offset)) return "purged";
    return this.#entriesAfter(offset)
      .filter(({ targets }) => isFor(session, targets))
      .map(({ frame }) => frame);
  }

  /**
   * Hands over what a session has missed that goes on elsewhere. It is its own no
   * longer then: from here on it is as if that had been dropped.
   *
   * @param session The session.
   * @param lastEventId What it got last, as it says.
   * @param since The position when the session began.
   */
  handOver(
    session: string,
    lastEventId: string,
    since: string | undefined,
    now: number,
  ): MissedEvents | ResetReason {
    const missed = this.after(session, lastEventId, since, now);
    this.forget(session);
    return typeof missed === "string" ? missed : {
      frames: missed.map((frame) => decoder.decode(frame)),
      heard: this.#moves.allHeard(),
    };
  }

  /**
   * Takes over what a session has missed that comes from elsewhere, and what was
   * sent to everyone since then.
   *
   * @param session The session.
   * @param lastEventId What it got last, as it says.
   * @param missed What it has missed.
   * @param since The position here when the session began.
   * @returns Why that cannot be had, if it cannot.
   */
  takeOver(
    session: string,
    lastEventId: string,
    missed: MissedEvents,
    since: string | undefined,
    now: number,
  ): ResetReason | undefined {
    if (this.#moves.hasGap(missed.heard)) return "purged";
    // What came before it left the last time, it has got or has with it.
    const start = Math.max(
      this.#start(since),
      this.#purged.forgotten(session),
      this.#moves.leftAt(session),
    );
    const unheard = this.#entriesAfter(start).filter(({ targets, origin }) =>
      isFor(session, targets) &&
      (origin === undefined || this.#moves.isAfter(origin, missed.heard))
    );
    const frames = [
      ...missed.frames,
      ...unheard.map(({ frame }) => decoder.decode(frame)),
    ];
    const { position } = this;
    this.#moves.note(session, lastEventId, position);
    for (const frame of frames) {
      const bytes = encoder.encode(withSseId(frame, this.next));
      this.append(session, bytes, now);
    }
    return undefined;
  }

  /** Notes that no texts to everyone of a node will come up to this one. */
  startFrom(origin: Origin): void {
    this.#moves.heard(origin);
    this.#moves.purged(origin);
  }

  /**
   * Whether texts to everyone are on their way here from some nodes that a session
   * brings along from elsewhere, and would get twice.
   */
  isBehind(nodes: readonly string[], { heard }: MissedEvents): boolean {
    return this.#moves.isBehind(nodes, heard);
  }

  /** A session goes on elsewhere: what is kept is not news to it when it is back. */
  leave(session: string): void {
    this.#moves.leave(session, this.#last);
  }

  /** Nothing that is kept is a session's own any more. */
  forget(session: string): void {
    this.#moves.forget(session);
    this.#purged.forget(session, this.#last);
  }

  #start(since: string | undefined): number {
    return since === undefined ? 0 : this.#offsetOf(since) ?? 0;
  }

  #entriesAfter(offset: number): Entry[] {
    const kept = this.#entries.length - this.#head;
    const missed = Math.min(this.#last - offset, kept);
    return missed === 0 ? [] : this.#entries.slice(-missed);
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
