import type { ResetReason } from "../contracts/options.ts";
import type { ReplaySettings } from "../contracts/resolve_options.ts";
import { withSseId } from "../protocol/sse.ts";
import { type BroadcastId, VersionVector } from "./version_vector.ts";
import type { Recipients } from "./recipients.ts";
import { LowWatermarks } from "./low_watermarks.ts";

interface Entry {
  readonly recipients: Recipients;
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly weight: number;
  readonly appendedAt: number;
  readonly broadcastId: BroadcastId | undefined;
}

/** What a session has missed that moves to another node. */
export interface MissedEvents {
  readonly frames: readonly string[];
  /** Up to which text to everyone of each sender this goes. */
  readonly versionVector: Readonly<Record<string, number>>;
}

/** What a target adds to what an event weighs, in bytes. */
const RECIPIENT_WEIGHT = 64;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const EVENT_ID = /^([0-9a-f]{16})-(0|[1-9][0-9]{0,15})$/;

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
  readonly #lowWatermarks: LowWatermarks;
  readonly #versions = new VersionVector();

  constructor(limits: ReplaySettings) {
    this.#limits = limits;
    this.#lowWatermarks = new LowWatermarks(
      Math.min(limits.maxEvents, 100_000),
    );
  }

  /** The id of the newest event. */
  get latestEventId(): string {
    return `${this.#epoch}-${this.#last}`;
  }

  /** The id that the next event will have. */
  get nextEventId(): string {
    return `${this.#epoch}-${this.#last + 1}`;
  }

  /** Adds the next event. */
  append(
    targets: Recipients,
    frame: Uint8Array<ArrayBuffer>,
    now: number,
    origin?: BroadcastId,
  ): void {
    if (origin !== undefined) this.#versions.observe(origin);
    const weight = frame.length +
      (typeof targets === "object" ? targets.size * RECIPIENT_WEIGHT : 0);
    this.#entries.push({
      recipients: targets,
      frame,
      weight,
      appendedAt: now,
      broadcastId: origin,
    });
    this.#weight += weight;
    this.#last++;
    this.trim(now);
  }

  /** Drops what is too old or too much. */
  trim(now: number): void {
    const { maxEvents, maxBytes, maxAgeMs } = this.#limits;
    while (this.#head < this.#entries.length) {
      const count = this.#entries.length - this.#head;
      const { recipients, weight, appendedAt, broadcastId } = this
        .#entries[this.#head]!;
      const fits = count <= maxEvents && this.#weight <= maxBytes &&
        now - appendedAt < maxAgeMs;
      if (fits) break;
      this.#lowWatermarks.trim(recipients, this.#last - count + 1);
      if (broadcastId !== undefined) this.#versions.trim(broadcastId);
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
    this.trim(now);
    const claimed = this.#offsetOf(
      this.#versions.translate(session, lastEventId),
    );
    if (claimed === undefined) return "unknown";
    if (claimed > this.#last) return "future";
    const offset = Math.max(claimed, this.#start(since));
    if (this.#lowWatermarks.isTrimmed(session, offset)) return "purged";
    return this.#entriesAfter(offset)
      .filter(({ recipients }) => isFor(session, recipients))
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
  exportMissed(
    session: string,
    lastEventId: string,
    since: string | undefined,
    now: number,
  ): MissedEvents | ResetReason {
    const missed = this.after(session, lastEventId, since, now);
    this.markHandedOff(session);
    return typeof missed === "string" ? missed : {
      frames: missed.map((frame) => decoder.decode(frame)),
      versionVector: this.#versions.snapshot(),
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
  importMissed(
    session: string,
    lastEventId: string,
    missed: MissedEvents,
    since: string | undefined,
    now: number,
  ): ResetReason | undefined {
    if (this.#versions.hasGap(missed.versionVector)) return "purged";
    // What came before it left the last time, it has got or has with it.
    const start = Math.max(
      this.#start(since),
      this.#lowWatermarks.handedOffAt(session),
      this.#versions.departedAt(session),
    );
    const unheard = this.#entriesAfter(start).filter((
      { recipients, broadcastId },
    ) =>
      isFor(session, recipients) &&
      (broadcastId === undefined ||
        this.#versions.isAfter(broadcastId, missed.versionVector))
    );
    const frames = [
      ...missed.frames,
      ...unheard.map(({ frame }) => decoder.decode(frame)),
    ];
    const { latestEventId } = this;
    this.#versions.recordArrival(session, lastEventId, latestEventId);
    for (const frame of frames) {
      const bytes = encoder.encode(withSseId(frame, this.nextEventId));
      this.append(session, bytes, now);
    }
    return undefined;
  }

  /** Notes that no texts to everyone of a node will come up to this one. */
  seedSequence(origin: BroadcastId): void {
    this.#versions.observe(origin);
    this.#versions.trim(origin);
  }

  /**
   * Whether texts to everyone are on their way here from some nodes that a session
   * brings along from elsewhere, and would get twice.
   */
  isBehind(nodes: readonly string[], { versionVector }: MissedEvents): boolean {
    return this.#versions.isBehind(nodes, versionVector);
  }

  /** A session goes on elsewhere: what is kept is not news to it when it is back. */
  markDeparted(session: string): void {
    this.#versions.recordDeparture(session, this.#last);
  }

  /** Nothing that is kept is a session's own any more. */
  markHandedOff(session: string): void {
    this.#versions.forgetArrival(session);
    this.#lowWatermarks.markHandedOff(session, this.#last);
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
    const [, epoch, offset] = EVENT_ID.exec(id) ?? [];
    return epoch === this.#epoch ? Number(offset) : undefined;
  }
}

function isFor(session: string, targets: Recipients): boolean {
  if (targets === undefined || targets === session) return true;
  return typeof targets === "object" && targets.has(session);
}
