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
  /** The last batch that the receiver acknowledges without a heartbeat. */
  #expectedSeq = 0;
  /** Since when such a batch has not been acknowledged. */
  #expectedAt: number;
  /** The last batch whose acknowledgement was requested. */
  #requestedSeq = 0;
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
    this.#expectedAt = now;
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

  /**
   * Returns whether the sender must wait for an acknowledgement.
   *
   * @param window The send window, in batches.
   */
  isFull(window: number): boolean {
    return !this.#isLagging && !this.#isSuspended &&
      this.#unacked.length >= window;
  }

  /** Whether the acknowledgement of the last batch was not requested yet. */
  get lacksRequest(): boolean {
    return this.isAwaited && this.#lastSeq > this.#requestedSeq;
  }

  /** Records that the acknowledgement of the last batch was requested. */
  onRequested(now: number): void {
    this.#requestedSeq = this.#lastSeq;
    this.#expect(now);
  }

  /**
   * Adds a batch that was sent to the receiver.
   *
   * @param isExpected Whether the receiver acknowledges it without a heartbeat.
   */
  add(seq: number, now: number, isExpected: boolean): void {
    if (this.#unacked.length === 0) this.#progressAt = now;
    this.#unacked.push(seq);
    this.#lastSeq = seq;
    if (isExpected) this.#expect(now);
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
   * @param now The current time.
   * @param window The send window, in batches.
   * @param heartbeatTimeoutMs After how long its heartbeats should have
   * acknowledged a batch, in milliseconds.
   * @returns Whether it should be probed now.
   */
  check(now: number, window: number, heartbeatTimeoutMs: number): boolean {
    const { retransmitTimeoutMs } = this.#flowControl;
    const isExpected = this.#isExpected;
    const isUrgent = isExpected || this.#unacked.length > window / 2;
    const sinceMs = now - Math.max(
      this.#progressAt,
      isExpected ? this.#expectedAt : -Infinity,
    );
    const timeoutMs = isUrgent ? retransmitTimeoutMs : heartbeatTimeoutMs;
    if (sinceMs >= timeoutMs) this.#isLagging = true;
    const probeDelayMs = Math.max(timeoutMs, this.#probeDelayMs);
    if (Math.min(sinceMs, now - this.#probedAt) < probeDelayMs) return false;
    this.#probedAt = now;
    // Exponential backoff.
    this.#probeDelayMs = Math.min(
      this.#probeDelayMs * 2,
      MAX_PROBE_BACKOFF * retransmitTimeoutMs,
    );
    return true;
  }

  /** Whether a batch that the receiver should acknowledge soon is unacked. */
  get #isExpected(): boolean {
    const [oldest = Infinity] = this.#unacked;
    return oldest <= this.#expectedSeq;
  }

  #expect(now: number): void {
    if (!this.#isExpected) this.#expectedAt = now;
    this.#expectedSeq = this.#lastSeq;
  }
}

/** The windows of all receivers, by name. */
type SendWindows = ReadonlyMap<string, SendWindow>;

/**
 * Returns whether the sender must wait for a receiver.
 *
 * @param windows The receivers.
 * @param size The send window, in batches.
 */
export function isAnyFull(windows: SendWindows, size: number): boolean {
  for (const window of windows.values()) if (window.isFull(size)) return true;
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
