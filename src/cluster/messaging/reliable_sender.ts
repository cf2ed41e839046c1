import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../../runtime/scheduler.ts";
import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import type { FlowControl } from "./flow_control.ts";
import type {
  Ack,
  AddressedMessage,
  Batch,
  BatchPosition,
  ClusterMessage,
} from "./protocol.ts";
import { RetransmitBuffer } from "./retransmit_buffer.ts";
import { FlushWaiters } from "./flush_waiters.ts";
import { type QueuedMessage, SendQueue } from "./send_queue.ts";

/** How many characters are kept for slow receivers, and may wait to be sent. */
const MAX_KEPT = 67_108_864;

/** What a {@linkcode ReliableSender} needs. */
export interface ReliableSenderPort {
  readonly flowControl: FlowControl;
  /** Serializes a batch. */
  readonly write: (batch: Batch) => string;
  /** Publishes a serialized batch to one node or all. */
  readonly publish: (text: string, to: string | undefined) => void;
  /** Asks a receiver for an acknowledgement. */
  readonly probe: (receiver: string) => void;
  /** Called when messages were dropped before anyone received them. */
  readonly onOverflow: (messages: number) => void;
  /** Runs the check of receivers. */
  readonly scheduler: Scheduler;
}

/** A node that receives what this one sends. */
interface ReceiverState {
  readonly handshakeId: number;
  /** The number after which batches are for it. */
  readonly ackedSeq: number;
  /** The newest batch for it. */
  lastSeq: number;
  /** The batches that it has not acknowledged. */
  unacked: number[];
  /**
   * When it last acknowledged something, or was sent the first unacknowledged
   * batch.
   */
  progressAt: number;
  probedAt: number;
  probeEveryMs: number;
  /** Whether the window no longer waits for it. */
  isLagging: boolean;
  /** Whether it is down: nothing waits for it. */
  isSuspended: boolean;
}

/**
 * Sends messages reliably: collects those of a turn, numbers them in batches,
 * and keeps each batch until its receivers have acknowledged it.
 *
 * The window closes while receivers have too many unacknowledged batches. A
 * receiver that is silent for a while is not waited for, and requests the rest
 * when it can.
 */
export class ReliableSender implements PeriodicTask {
  readonly periodMs: number;
  readonly #port: ReliableSenderPort;
  readonly #receivers: Map<string, ReceiverState> = new Map();
  readonly #queue = new SendQueue();
  #isScheduled = false;
  #isAckRequested = false;
  /** The newest batch for which receivers know that someone waits. */
  #lastUrgentSeq = 0;
  #lastSeq = 0;
  #lastBroadcastSeq = 0;
  readonly #sent = new RetransmitBuffer();
  #resent = 0;
  readonly #flushWaiters = new FlushWaiters();

  constructor(port: ReliableSenderPort) {
    this.#port = port;
    this.periodMs = checkPeriodFor(port.flowControl.retransmitTimeoutMs);
  }

  /** How many batches were sent. */
  get published(): number {
    return this.#lastSeq;
  }

  /** How many batches were sent again. */
  get resent(): number {
    return this.#resent;
  }

  /** The number of the newest batch. */
  get lastPosition(): BatchPosition {
    let overrides: Record<string, number> | undefined;
    for (const [node, { lastSeq }] of this.#receivers) {
      if (lastSeq !== this.#lastBroadcastSeq) {
        (overrides ??= Object.create(null) as Record<string, number>)[node] =
          lastSeq;
      }
    }
    return { seq: this.#lastBroadcastSeq, overrides };
  }

  /** Sends a message with the others of this turn, to one node or all. */
  add(message: ClusterMessage, to?: string): void {
    if (this.#receivers.size === 0) return;
    this.#queue.add(message, to);
    this.#schedule();
  }

  /**
   * Resolves when every receiver has acknowledged what was sent before, or has
   * left.
   */
  async flushed(): Promise<void> {
    if (this.#receivers.size === 0) return;
    this.#isAckRequested = true;
    this.#schedule();
    await this.#flushWaiters.wait();
  }

  /** Adds a receiver; batches after this number are for it. */
  addReceiver(node: string, handshakeId: number): number {
    const known = this.#receivers.get(node);
    if (known?.handshakeId === handshakeId) return known.ackedSeq;
    this.removeReceiver(node);
    const now = this.#port.scheduler.now();
    const lastSeq = this.#lastSeq;
    this.#receivers.set(node, {
      handshakeId,
      ackedSeq: lastSeq,
      lastSeq,
      unacked: [],
      progressAt: now,
      probedAt: now,
      probeEveryMs: this.#port.flowControl.retransmitTimeoutMs,
      isLagging: false,
      isSuspended: false,
    });
    return lastSeq;
  }

  /** Returns whether a node receives batches. */
  hasReceiver(node: string): boolean {
    return this.#receivers.has(node);
  }

  /** Returns the handshake ID with which a node subscribed. */
  handshakeIdOf(node: string): number | undefined {
    return this.#receivers.get(node)?.handshakeId;
  }

  /** Marks a receiver as down or up again. What is sent to it is kept. */
  suspend(node: string, isSuspended: boolean): void {
    const receiver = this.#receivers.get(node);
    if (receiver === undefined) return;
    receiver.isSuspended = isSuspended;
    receiver.isLagging = true;
    this.#resolveFlushed();
    this.#flush();
  }

  /** Removes a receiver, and what was kept for it alone. */
  removeReceiver(node: string): void {
    const receiver = this.#receivers.get(node);
    if (receiver === undefined) return;
    this.#receivers.delete(node);
    for (const seq of receiver.unacked) this.#sent.release(seq);
    this.#resolveFlushed();
    this.#flush();
  }

  /** Processes an acknowledgement, and sends missing batches again. */
  acknowledge(node: string, ack: Ack): void {
    const receiver = this.#receivers.get(node);
    if (receiver === undefined) return;
    const now = this.#port.scheduler.now();
    const { unacked } = receiver;
    let read = 0;
    while (read < unacked.length && unacked[read]! <= ack.seq) {
      this.#sent.release(unacked[read++]!);
    }
    if (read > 0) {
      unacked.splice(0, read);
      receiver.progressAt = now;
      receiver.probeEveryMs = this.#port.flowControl.retransmitTimeoutMs;
    }
    if (unacked.length < this.#port.flowControl.window / 2) {
      receiver.isLagging = false;
    }
    if (ack.isNack) {
      receiver.progressAt = now;
      for (const seq of unacked.slice(0, this.#port.flowControl.window)) {
        this.#resent++;
        this.#port.publish(this.#sent.text(seq), node);
      }
    }
    if (read === 0) return;
    this.#resolveFlushed();
    this.#flush();
  }

  /** Looks for receivers that are silent. */
  run(now: number): void {
    let isAckRequested = false;
    for (const [node, receiver] of this.#receivers) {
      if (receiver.unacked.length === 0 || receiver.isSuspended) continue;
      isAckRequested = true;
      if (
        now - receiver.progressAt >= this.#port.flowControl.retransmitTimeoutMs
      ) {
        receiver.isLagging = true;
      }
      if (
        now - Math.max(receiver.probedAt, receiver.progressAt) <
          receiver.probeEveryMs
      ) {
        continue;
      }
      receiver.probedAt = now;
      receiver.probeEveryMs = Math.min(
        receiver.probeEveryMs * 2,
        10 * this.#port.flowControl.retransmitTimeoutMs,
      );
      this.#port.probe(node);
    }
    if (!isAckRequested) this.#port.scheduler.stop(this);
    this.#flush();
  }

  /** Drops everything, and resolves everyone who waits. */
  close(): void {
    this.#receivers.clear();
    this.#queue.clear();
    this.#sent.clear();
    this.#resolveFlushed();
    this.#port.scheduler.stop(this);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    atEndOfTurn(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isScheduled) return;
    while (this.#queue.size > 0 && this.#isOpen()) {
      const batch = this.#queue.takeBatch();
      if (batch.some(({ to }) => to === undefined)) this.#sendToAll(batch);
      else this.#sendToEach(batch);
    }
    if (this.#queue.size === 0) {
      if (this.#isAckRequested) this.#requestAcks();
      this.#isAckRequested = false;
      this.#flushWaiters.sent(this.#lastSeq);
      this.#resolveFlushed();
    }
    if (this.#queue.length + this.#sent.length > MAX_KEPT) this.#overflow();
  }

  /** Someone waits for what was sent before, but not urgently. */
  #requestAcks(): void {
    for (const [node, receiver] of this.#receivers) {
      const { unacked, isSuspended } = receiver;
      const last = unacked.at(-1);
      if (isSuspended || last === undefined || last <= this.#lastUrgentSeq) {
        continue;
      }
      this.#port.probe(node);
    }
    this.#lastUrgentSeq = this.#lastSeq;
  }

  #isOpen(): boolean {
    for (
      const { isLagging, isSuspended, unacked } of this.#receivers.values()
    ) {
      if (
        !isLagging && !isSuspended &&
        unacked.length >= this.#port.flowControl.window
      ) return false;
    }
    return true;
  }

  #sendToAll(batch: readonly QueuedMessage[]): void {
    const messages = batch.map(({ message, to }): AddressedMessage =>
      to === undefined ? message : { ...message, only: to }
    );
    const after = this.lastPosition;
    this.#lastBroadcastSeq = this.#lastSeq + 1;
    this.#send(messages, undefined, after, this.#receivers.values());
  }

  /** Sends separate batches, so that nobody gets messages for others. */
  #sendToEach(batch: readonly QueuedMessage[]): void {
    const byNode = new Map<string, ClusterMessage[]>();
    for (const { message, to } of batch) {
      const messages = byNode.get(to!);
      if (messages === undefined) byNode.set(to!, [message]);
      else messages.push(message);
    }
    for (const [node, messages] of byNode) {
      const receiver = this.#receivers.get(node);
      // It has left meanwhile.
      if (receiver === undefined) continue;
      this.#send(messages, node, { seq: receiver.lastSeq }, [receiver]);
    }
  }

  #send(
    messages: readonly AddressedMessage[],
    to: string | undefined,
    after: BatchPosition,
    receivers: Iterable<ReceiverState>,
  ): void {
    const seq = ++this.#lastSeq;
    if (this.#isAckRequested) this.#lastUrgentSeq = seq;
    const text = this.#port.write({
      kind: "batch",
      seq,
      prevSeq: after,
      isAckRequested: this.#isAckRequested || undefined,
      messages,
    });
    let unackedBy = 0;
    for (const receiver of receivers) {
      if (receiver.unacked.length === 0) {
        receiver.progressAt = this.#port.scheduler.now();
      }
      receiver.unacked.push(seq);
      receiver.lastSeq = seq;
      unackedBy++;
    }
    if (unackedBy === 0) return;
    this.#sent.add(seq, text, unackedBy);
    this.#port.scheduler.start(this);
    this.#port.publish(text, to);
  }

  /**
   * Frees memory: gives up the receivers that are furthest behind, or drops
   * unsent messages.
   */
  #overflow(): void {
    let slowest: string | undefined;
    let maxUnacked = this.#port.flowControl.window;
    for (const [node, { isLagging, unacked }] of this.#receivers) {
      if (!isLagging || unacked.length <= maxUnacked) continue;
      maxUnacked = unacked.length;
      slowest = node;
    }
    if (slowest !== undefined) return this.removeReceiver(slowest);
    if (this.#queue.length <= MAX_KEPT) return;
    const dropped = this.#queue.size;
    this.#queue.clear();
    this.#port.onOverflow(dropped);
  }

  #resolveFlushed(): void {
    if (this.#receivers.size === 0) return this.#flushWaiters.release();
    let read = Infinity;
    for (const { unacked, isSuspended } of this.#receivers.values()) {
      if (unacked.length === 0 || isSuspended) continue;
      read = Math.min(read, unacked[0]! - 1);
    }
    this.#flushWaiters.read(read);
  }
}
