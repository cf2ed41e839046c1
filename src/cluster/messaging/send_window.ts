import type { FlowControl } from "./message_bus.ts";
import type { BatchPosition } from "./protocol.ts";

/** The longest time between two probes, in retransmission timeouts. */
const MAX_PROBE_BACKOFF = 10;

/**
 * The send window of one receiver: the batches that it has not acknowledged, and
 * whether the sender waits for it.
 */
export class SendWindow {
  /** Identifies the handshake with which the receiver joined this node. */
  readonly handshakeId: number;
  /** Batches after this sequence number are for the receiver. */
  readonly afterSeq: number;
  readonly #flowControl: FlowControl;
  #lastSeq: number;
  #unacked: number[] = [];
  /** When it last acknowledged a batch, or when all were acknowledged. */
  #progressAt: number;
  #probedAt: number;
  #probeDelayMs: number;
  #isLagging = false;
  #isSuspended = false;

  constructor(
    flowControl: FlowControl,
    handshakeId: number,
    afterSeq: number,
    now: number,
  ) {
    this.#flowControl = flowControl;
    this.handshakeId = handshakeId;
    this.afterSeq = afterSeq;
    this.#lastSeq = afterSeq;
    this.#progressAt = now;
    this.#probedAt = now;
    this.#probeDelayMs = flowControl.retransmitTimeoutMs;
  }

  /** The sequence number of the last batch for the receiver. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** The sequence numbers that are not acknowledged, in ascending order. */
  get unacked(): readonly number[] {
    return this.#unacked;
  }

  /** Whether the receiver is waited for: a receiver that is down is not. */
  get isAwaited(): boolean {
    return this.#unacked.length > 0 && !this.#isSuspended;
  }

  /** Whether the receiver is too slow to be waited for. */
  get isLagging(): boolean {
    return this.#isLagging;
  }

  /** Whether the sender must wait for an acknowledgement of this receiver. */
  get isFull(): boolean {
    return !this.#isLagging && !this.#isSuspended &&
      this.#unacked.length >= this.#flowControl.window;
  }

  /** Adds a batch that was sent to the receiver. */
  add(seq: number, now: number): void {
    if (this.#unacked.length === 0) this.#progressAt = now;
    this.#unacked.push(seq);
    this.#lastSeq = seq;
  }

  /**
   * Acknowledges all batches up to a sequence number.
   *
   * @returns The sequence numbers that were not acknowledged before.
   */
  acknowledge(seq: number, now: number): number[] {
    let count = 0;
    while (count < this.#unacked.length && this.#unacked[count]! <= seq) {
      count++;
    }
    const { window, retransmitTimeoutMs } = this.#flowControl;
    if (count > 0) {
      this.#progressAt = now;
      this.#probeDelayMs = retransmitTimeoutMs;
    }
    const acknowledged = this.#unacked.splice(0, count);
    if (this.#unacked.length < window / 2) this.#isLagging = false;
    return acknowledged;
  }

  /** Returns the sequence numbers to send again: at most one window. */
  retransmit(now: number): number[] {
    this.#progressAt = now;
    return this.#unacked.slice(0, this.#flowControl.window);
  }

  /**
   * Marks the receiver as down or up again. Until it has caught up, the sender
   * does not wait for it.
   */
  suspend(isSuspended: boolean): void {
    this.#isSuspended = isSuspended;
    this.#isLagging = true;
  }

  /**
   * Checks whether the receiver acknowledges batches.
   *
   * @returns Whether it should be probed now.
   */
  check(now: number): boolean {
    const { retransmitTimeoutMs } = this.#flowControl;
    if (now - this.#progressAt >= retransmitTimeoutMs) this.#isLagging = true;
    const waitingSince = Math.max(this.#probedAt, this.#progressAt);
    if (now - waitingSince < this.#probeDelayMs) return false;
    this.#probedAt = now;
    // Exponential backoff.
    this.#probeDelayMs = Math.min(
      this.#probeDelayMs * 2,
      MAX_PROBE_BACKOFF * retransmitTimeoutMs,
    );
    return true;
  }
}

/** The windows of all receivers, by name. */
type SendWindows = ReadonlyMap<string, SendWindow>;

/** Returns whether the sender must wait for a receiver. */
export function isAnyFull(windows: SendWindows): boolean {
  for (const { isFull } of windows.values()) if (isFull) return true;
  return false;
}

/**
 * Returns the position of the last batch: for each receiver, the last one that is
 * for it.
 *
 * @param windows The receivers.
 * @param lastBroadcastSeq The last batch that was for all.
 */
export function positionOf(
  windows: SendWindows,
  lastBroadcastSeq: number,
): BatchPosition {
  let overrides: Record<string, number> | undefined;
  for (const [node, { lastSeq }] of windows) {
    if (lastSeq === lastBroadcastSeq) continue;
    overrides ??= Object.create(null) as Record<string, number>;
    overrides[node] = lastSeq;
  }
  return { seq: lastBroadcastSeq, overrides };
}

/**
 * Returns the lagging receiver that is furthest behind, if it has more than
 * `minUnacked` unacknowledged batches.
 */
export function slowestOf(
  windows: SendWindows,
  minUnacked: number,
): string | undefined {
  let slowest: string | undefined;
  let maxUnacked = minUnacked;
  for (const [node, { isLagging, unacked }] of windows) {
    if (!isLagging || unacked.length <= maxUnacked) continue;
    maxUnacked = unacked.length;
    slowest = node;
  }
  return slowest;
}

/** Returns the receivers that have not acknowledged a batch. */
export function unackedBy(windows: SendWindows, seq: number): string[] {
  return [...windows].filter(([, { unacked }]) => unacked.includes(seq))
    .map(([node]) => node);
}

/**
 * Returns the sequence number up to which all receivers that are waited for have
 * acknowledged everything.
 */
export function acknowledgedSeq(windows: SendWindows): number {
  let acknowledged = Infinity;
  for (const { isAwaited, unacked } of windows.values()) {
    if (!isAwaited) continue;
    acknowledged = Math.min(acknowledged, unacked[0]! - 1);
  }
  return acknowledged;
}
