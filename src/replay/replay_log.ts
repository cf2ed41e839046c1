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

/** The events that a session has missed, on their way to another node. */
export interface MissedEvents {
  readonly frames: readonly string[];
  /** The last broadcast of each sender that these events include or precede. */
  readonly versionVector: Readonly<Record<string, number>>;
}

/** What each recipient adds to the weight of an event, in bytes. */
const RECIPIENT_WEIGHT = 64;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const EVENT_ID = /^([0-9a-f]{16})-(0|[1-9][0-9]{0,15})$/;

/**
 * The events of the recent past, stored once for all sessions. An event ID is
 * `epoch-offset`: the log, and the position in it.
 */
export class ReplayLog {
  readonly #limits: ReplaySettings;
  readonly #epoch = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  readonly #entries: Entry[] = [];
  #head = 0;
  #weight = 0;
  /** The offset of the newest event. */
  #lastOffset = 0;
  readonly #lowWatermarks: LowWatermarks;
  readonly #versions = new VersionVector();

  constructor(limits: ReplaySettings) {
    this.#limits = limits;
    this.#lowWatermarks = new LowWatermarks(
      Math.min(limits.maxEvents, 100_000),
    );
  }

  /** The ID of the newest event. */
  get latestEventId(): string {
    return `${this.#epoch}-${this.#lastOffset}`;
  }

  /** The ID of the next event. */
  get nextEventId(): string {
    return `${this.#epoch}-${this.#lastOffset + 1}`;
  }

  /** Appends an event. */
  append(
    recipients: Recipients,
    frame: Uint8Array<ArrayBuffer>,
    now: number,
    broadcastId?: BroadcastId,
  ): void {
    if (broadcastId !== undefined) this.#versions.observe(broadcastId);
    const weight = frame.length +
      (typeof recipients === "object" ? recipients.size * RECIPIENT_WEIGHT : 0);
    this.#entries.push({
      recipients,
      frame,
      weight,
      appendedAt: now,
      broadcastId,
    });
    this.#weight += weight;
    this.#lastOffset++;
    this.trim(now);
  }

  /** Drops events until the log is within its limits. */
  trim(now: number): void {
    const { maxEvents, maxBytes, maxAgeMs } = this.#limits;
    while (this.#head < this.#entries.length) {
      const count = this.#entries.length - this.#head;
      const { recipients, weight, appendedAt, broadcastId } = this
        .#entries[this.#head]!;
      const fits = count <= maxEvents && this.#weight <= maxBytes &&
        now - appendedAt < maxAgeMs;
      if (fits) break;
      this.#lowWatermarks.trim(recipients, this.#lastOffset - count + 1);
      if (broadcastId !== undefined) this.#versions.trim(broadcastId);
      this.#weight -= weight;
      this.#head++;
    }
    if (this.#head * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Whether the log is empty, so that nothing can expire. */
  get isEmpty(): boolean {
    return this.#head === this.#entries.length;
  }

  /**
   * Returns the events that a session has missed, or why they are unavailable.
   *
   * @param session The session.
   * @param lastEventId The last event that its client says it received.
   * @param startEventId The newest event when the session began; earlier ones
   * are not for it.
   * @param now The current time.
   */
  after(
    session: string,
    lastEventId: string,
    startEventId: string | undefined,
    now: number,
  ): Uint8Array<ArrayBuffer>[] | ResetReason {
    this.trim(now);
    const lastOffset = this.#offsetOf(
      this.#versions.translate(session, lastEventId),
    );
    if (lastOffset === undefined) return "unknown";
    if (lastOffset > this.#lastOffset) return "future";
    const offset = Math.max(lastOffset, this.#startOffset(startEventId));
    if (this.#lowWatermarks.isTrimmed(session, offset)) return "purged";
    return this.#entriesAfter(offset)
      .filter(({ recipients }) => isFor(session, recipients))
      .map(({ frame }) => frame);
  }

  /**
   * Exports the events that a session has missed, because it moves to another
   * node. Afterwards they count as trimmed here.
   *
   * @param session The session.
   * @param lastEventId The last event that its client says it received.
   * @param startEventId The newest event when the session began.
   * @param now The current time.
   */
  exportMissed(
    session: string,
    lastEventId: string,
    startEventId: string | undefined,
    now: number,
  ): MissedEvents | ResetReason {
    const missed = this.after(session, lastEventId, startEventId, now);
    this.markHandedOff(session);
    return typeof missed === "string" ? missed : {
      frames: missed.map((frame) => decoder.decode(frame)),
      versionVector: this.#versions.snapshot(),
    };
  }

  /**
   * Imports the events that a session has missed on another node, and adds the
   * broadcasts that were sent since then.
   *
   * @param session The session.
   * @param lastEventId The last event that its client says it received.
   * @param missed The events.
   * @param startEventId The newest event here when the session began.
   * @param now The current time.
   * @returns A reason if the result would have a gap.
   */
  importMissed(
    session: string,
    lastEventId: string,
    missed: MissedEvents,
    startEventId: string | undefined,
    now: number,
  ): ResetReason | undefined {
    if (this.#versions.hasGap(missed.versionVector)) return "purged";
    // Earlier events were received here before, or are part of `missed`.
    const start = Math.max(
      this.#startOffset(startEventId),
      this.#lowWatermarks.handedOffAt(session),
      this.#versions.departedAt(session),
    );
    const broadcastsSince = this.#entriesAfter(start).filter((
      { recipients, broadcastId },
    ) =>
      isFor(session, recipients) &&
      (broadcastId === undefined ||
        this.#versions.isAfter(broadcastId, missed.versionVector))
    );
    const frames = [
      ...missed.frames,
      ...broadcastsSince.map(({ frame }) => decoder.decode(frame)),
    ];
    const { latestEventId } = this;
    this.#versions.recordArrival(session, lastEventId, latestEventId);
    for (const frame of frames) {
      const bytes = encoder.encode(withSseId(frame, this.nextEventId));
      this.append(session, bytes, now);
    }
    return undefined;
  }

  /** Records that broadcasts of a node up to this one will not arrive here. */
  seedSequence(broadcastId: BroadcastId): void {
    this.#versions.observe(broadcastId);
    this.#versions.trim(broadcastId);
  }

  /**
   * Returns whether broadcasts that a session brings along have not arrived
   * here yet. They would be delivered twice.
   */
  isBehind(nodes: readonly string[], { versionVector }: MissedEvents): boolean {
    return this.#versions.isBehind(nodes, versionVector);
  }

  /**
   * Records that a session left: the events up to now are not new to it if it
   * returns.
   */
  markDeparted(session: string): void {
    this.#versions.recordDeparture(session, this.#lastOffset);
  }

  /** Records that no stored event belongs to a session any more. */
  markHandedOff(session: string): void {
    this.#versions.forgetArrival(session);
    this.#lowWatermarks.markHandedOff(session, this.#lastOffset);
  }

  #startOffset(startEventId: string | undefined): number {
    return startEventId === undefined ? 0 : this.#offsetOf(startEventId) ?? 0;
  }

  #entriesAfter(offset: number): Entry[] {
    const kept = this.#entries.length - this.#head;
    const missed = Math.min(this.#lastOffset - offset, kept);
    return missed === 0 ? [] : this.#entries.slice(-missed);
  }

  #offsetOf(id: string): number | undefined {
    const [, epoch, offset] = EVENT_ID.exec(id) ?? [];
    return epoch === this.#epoch ? Number(offset) : undefined;
  }
}

function isFor(session: string, recipients: Recipients): boolean {
  if (recipients === undefined || recipients === session) return true;
  return typeof recipients === "object" && recipients.has(session);
}
