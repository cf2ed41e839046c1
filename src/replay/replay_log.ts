import type { ResetReason } from "../contracts/options.ts";
import type { ReplaySettings } from "../contracts/resolve_options.ts";
import { isForTransport, type Recipients } from "./recipients.ts";
import type { BroadcastId, Entry } from "./entry.ts";
import { EventQueue } from "./event_queue.ts";
import { parseLogEventId } from "./log_event_id.ts";
import { LowWatermarks } from "./low_watermarks.ts";
import { isRequestKey } from "./request_key.ts";
import { SessionShares } from "./session_shares.ts";

/** A client that reconnects, and may have missed events. */
export interface Resumption {
  /** The session. */
  readonly session: string;
  /**
   * The transport that its stream belongs to: broadcasts of other transports
   * are not for it.
   */
  readonly transport?: string | undefined;
  /** The last event that the client says it received. */
  readonly lastEventId: string;
  /**
   * The newest event when the session began; earlier ones are not for it.
   */
  readonly startEventId?: string | undefined;
}

/** What each recipient adds to the weight of an event, in bytes. */
const RECIPIENT_WEIGHT = 64;
/**
 * How many old events are dropped at once. More would block the event loop, and
 * some more are dropped with each new event.
 */
const TRIMMED_AT_ONCE = 20_000;
const TRIMMED_PER_APPEND = 8;

/**
 * The events of the recent past, stored once for all sessions. An event ID is
 * `epoch-offset`: the log, and the position in it.
 *
 * The events of the responses to requests are here, too. Their recipient is the
 * key of the request (`request_key.ts`), for which no broadcast is.
 */
export class ReplayLog {
  readonly #limits: ReplaySettings;
  readonly #epoch = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  readonly #entries = new EventQueue();
  readonly #shares: SessionShares;
  #weight = 0;
  /** The offset of the newest event. */
  #lastOffset = 0;
  readonly #lowWatermarks: LowWatermarks;

  constructor(limits: ReplaySettings) {
    this.#limits = limits;
    this.#shares = new SessionShares(limits);
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
    const weight = frame.length +
      (recipients instanceof Set ? recipients.size * RECIPIENT_WEIGHT : 0);
    const offset = ++this.#lastOffset;
    this.#entries.push({
      offset,
      recipients,
      frame,
      weight,
      share: this.#shares.add(recipients, offset, weight),
      appendedAt: now,
      broadcastId,
    });
    this.#weight += weight;
    this.trim(now, TRIMMED_PER_APPEND);
  }

  /**
   * Drops events until the log is within its limits: the oldest, or, if it is
   * full and a session takes more than its share, the oldest of that session.
   *
   * @param now The current time.
   * @param maxOld How many events may be dropped only because they are too old.
   */
  trim(now: number, maxOld: number = TRIMMED_AT_ONCE): void {
    const { maxEvents, maxBytes, maxAgeMs } = this.#limits;
    let oldLeft = maxOld;
    for (
      let entry = this.#entries.peek();
      entry !== undefined;
      entry = this.#entries.peek()
    ) {
      const { recipients, offset, appendedAt } = entry;
      const isOld = now - appendedAt >= maxAgeMs;
      const fits = this.#entries.size <= maxEvents && this.#weight <= maxBytes;
      if (fits && (!isOld || oldLeft-- <= 0)) break;
      if (!isOld && this.#dropExceeding(entry)) continue;
      this.#lowWatermarks.trim(recipients, offset);
      this.#entries.shift();
      this.#removed(entry);
    }
  }

  /**
   * Drops the oldest event of a session that takes more than its share, if that
   * is not the first event of all.
   */
  #dropExceeding(first: Entry): boolean {
    const exceeding = this.#shares.exceeding;
    if (exceeding === undefined || exceeding === first.share) return false;
    const dropped = this.#entries.remove(
      exceeding.oldest,
      ({ share }) => share === exceeding,
    );
    if (dropped === undefined) return false;
    this.#lowWatermarks.drop(dropped.recipients as string, dropped.offset);
    this.#removed(dropped);
    return true;
  }

  #removed(entry: Entry): void {
    this.#shares.remove(entry);
    this.onTrimmed(entry);
    this.#weight -= entry.weight;
  }

  /** Whether the log is empty, so that nothing can expire. */
  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /**
   * Returns the events that a client has missed, or why they are unavailable.
   */
  after(
    resumption: Resumption,
    now: number,
  ): Uint8Array<ArrayBuffer>[] | ResetReason {
    const { session, transport, lastEventId, startEventId } = resumption;
    this.trim(now);
    const lastOffset = this.#offsetOf(lastEventId);
    if (lastOffset === undefined) return "unknown";
    if (lastOffset > this.#lastOffset) return "future";
    const offset = Math.max(lastOffset, this.startOffset(startEventId));
    if (this.#lowWatermarks.isTrimmed(session, transport, offset)) {
      return "purged";
    }
    return this.entriesAfter(resumption, offset).map(({ frame }) => frame);
  }

  /** Forgets which events of a request were trimmed: it can't be resumed. */
  forgetRequest(key: string): void {
    this.#lowWatermarks.forgetRequest(key);
  }

  /** Called with each event that is trimmed. */
  protected onTrimmed(_entry: Entry): void {}

  /**
   * Records that a session moved elsewhere: no stored event belongs to it any
   * more.
   */
  protected forget(session: string): void {
    this.#lowWatermarks.markHandedOff(session, this.#lastOffset);
  }

  /** The offset of the newest event. */
  protected get lastOffset(): number {
    return this.#lastOffset;
  }

  /** The offset at which a session moved elsewhere; 0 if it never did. */
  protected handedOffAt(session: string): number {
    return this.#lowWatermarks.handedOffAt(session);
  }

  /** Returns the offset of a start event ID; 0 if it is not of this log. */
  protected startOffset(startEventId: string | undefined): number {
    return startEventId === undefined ? 0 : this.#offsetOf(startEventId) ?? 0;
  }

  /** Returns the stored events for a client after an offset. */
  protected entriesAfter(resumption: Resumption, offset: number): Entry[] {
    return this.#entries.after(
      offset,
      ({ recipients }) => isFor(resumption, recipients),
    );
  }

  #offsetOf(id: string): number | undefined {
    const parsed = parseLogEventId(id);
    return parsed?.epoch === this.#epoch ? parsed.offset : undefined;
  }
}

function isFor(
  { session, transport }: Resumption,
  recipients: Recipients,
): boolean {
  if (recipients === undefined) return !isRequestKey(session);
  if (typeof recipients === "string") return recipients === session;
  if (isForTransport(recipients)) return recipients.transport === transport;
  return recipients.has(session);
}
