import { checkPeriodFor, type PeriodicTask } from "../../runtime/scheduler.ts";
import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import { FlushWaiters } from "./acknowledgements/flush_waiters.ts";
import { type FlowControl, windowFor } from "./message_bus.ts";
import type {
  Ack,
  AddressedMessage,
  Batch,
  BatchPosition,
  ClusterMessage,
} from "./protocol.ts";
import { expectsAck, isRequestedOf } from "./protocol.ts";
import { AckRequests } from "./acknowledgements/ack_requests.ts";
import { RefusedBatches } from "./refusals/refused_batches.ts";
import type { ReliableSenderPort } from "./reliable_sender_port.ts";
import { MAX_BUFFERED_LENGTH, RetransmitBuffer } from "./retransmit_buffer.ts";
import {
  groupByReceiver,
  type QueuedMessage,
  SendQueue,
} from "./send_queue.ts";
import {
  isAnyFull,
  positionOf,
  SendWindow,
  slowestOf,
  unackedBy,
} from "./send_window.ts";

/**
 * Sends messages reliably. Collects the messages of one turn of the event loop
 * into numbered batches, and keeps each batch until its receivers have
 * acknowledged it.
 *
 * While the send window of a receiver is full, messages wait in the send queue.
 * A receiver that acknowledges nothing for `retransmitTimeoutMs` is lagging: it
 * is no longer waited for, and requests the retransmission of what it missed.
 */
export class ReliableSender implements PeriodicTask {
  readonly periodMs: number;
  readonly #port: ReliableSenderPort;
  readonly #flowControl: FlowControl;
  readonly #windows: Map<string, SendWindow> = new Map();
  readonly #queue = new SendQueue();
  readonly #retransmitBuffer = new RetransmitBuffer();
  readonly #refused: RefusedBatches;
  readonly #flushWaiters = new FlushWaiters();
  #lastSeq = 0;
  #lastBroadcastSeq = 0;
  #retransmitted = 0;
  #isFlushScheduled = false;
  readonly #ackRequests = new AckRequests();
  /** When the last batch for all was sent, unless a heartbeat followed. */
  #unannouncedAt = Infinity;

  constructor(port: ReliableSenderPort) {
    const { packetBus } = port;
    this.#port = port;
    this.#flowControl = packetBus.flowControl;
    this.periodMs = checkPeriodFor(this.#flowControl.retransmitTimeoutMs);
    this.#refused = new RefusedBatches({
      packetBus,
      buffer: this.#retransmitBuffer,
      publish: (seq) =>
        this.#publish(seq, this.#retransmitBuffer.receiverOf(seq)),
      probe: (seq) => port.probe(unackedBy(this.#windows, seq)[0]!),
      onGivenUp: (seq, bytes, cause) =>
        port.onGivenUp(bytes, unackedBy(this.#windows, seq), cause),
    });
  }

  /** The number of batches that were sent. */
  get sent(): number {
    return this.#lastSeq;
  }

  /** The number of batches that were sent again. */
  get retransmitted(): number {
    return this.#retransmitted;
  }

  /** The position of the last batch. */
  get lastPosition(): BatchPosition {
    return positionOf(this.#windows, this.#lastBroadcastSeq);
  }

  /** Sends a message to one node, or to all, at the end of this turn. */
  send(message: ClusterMessage, to?: string): void {
    if (this.#windows.size === 0) return;
    this.#queue.add(message, to);
    this.#scheduleFlush();
  }

  /**
   * Resolves when receivers have acknowledged what was sent before, or were
   * removed.
   *
   * @param receivers Their names; by default all.
   */
  async flushed(receivers?: readonly string[]): Promise<void> {
    if (this.#windows.size === 0) return;
    this.#ackRequests.add(receivers);
    this.#scheduleFlush();
    await this.#flushWaiters.wait(receivers);
  }

  /**
   * Adds a receiver. A new handshake replaces an earlier one.
   *
   * @returns The sequence number after which batches are for the receiver.
   */
  addReceiver(node: string, handshakeId: number): number {
    const known = this.#windows.get(node);
    if (known?.handshakeId === handshakeId) return known.afterSeq;
    this.removeReceiver(node);
    const now = this.#port.scheduler.now();
    const afterSeq = this.#lastSeq;
    this.#windows.set(
      node,
      new SendWindow(this.#flowControl, handshakeId, afterSeq, now),
    );
    return afterSeq;
  }

  /** Returns whether a node is a receiver. */
  hasReceiver(node: string): boolean {
    return this.#windows.has(node);
  }

  /** Returns the ID of the handshake with which a receiver was added. */
  handshakeIdOf(node: string): number | undefined {
    return this.#windows.get(node)?.handshakeId;
  }

  /** Marks a receiver as down or up again. Its batches are kept. */
  suspend(node: string, isSuspended: boolean): void {
    const window = this.#windows.get(node);
    if (window === undefined) return;
    window.suspend(isSuspended);
    if (isSuspended) this.#flushWaiters.onGone(node);
    this.#flush();
  }

  /** Removes a receiver, and the batches that are kept only for it. */
  removeReceiver(node: string): void {
    const window = this.#windows.get(node);
    if (window === undefined) return;
    this.#windows.delete(node);
    for (const seq of window.unacked) this.#retransmitBuffer.release(seq);
    this.#flushWaiters.onGone(node);
    this.#flush();
  }

  /** Handles an acknowledgement. A nack requests retransmission. */
  acknowledge(node: string, { seq, isNack }: Ack): void {
    const window = this.#windows.get(node);
    if (window === undefined) return;
    const now = this.#port.scheduler.now();
    const acknowledged = window.acknowledge(seq, now);
    for (const seq of acknowledged) this.#retransmitBuffer.release(seq);
    if (isNack) {
      for (const seq of window.retransmit(now)) {
        this.#retransmitted++;
        this.#publish(seq, node);
      }
    }
    if (acknowledged.length === 0) return;
    this.#flushWaiters.onAcknowledged(node, acknowledged.at(-1)!);
    this.#flush();
  }

  /** Called when a heartbeat with the last position was sent to all. */
  onAnnounced(): void {
    this.#unannouncedAt = Infinity;
  }

  /** Probes receivers that acknowledge nothing, and retries what was refused. */
  run(now: number): void {
    this.#refused.retry();
    const { heartbeatTimeoutMs, probe, announce } = this.#port;
    const { retransmitTimeoutMs } = this.#flowControl;
    if (now - this.#unannouncedAt >= retransmitTimeoutMs) announce();
    let isWaiting = false;
    for (const [node, window] of this.#windows) {
      if (!window.isAwaited) continue;
      isWaiting = true;
      if (window.check(now, this.#window, heartbeatTimeoutMs)) probe(node);
    }
    if (!isWaiting) this.#port.scheduler.stop(this);
    this.#flush();
  }

  /** Drops all messages and resolves `flushed`. */
  close(): void {
    this.#windows.clear();
    this.#queue.clear();
    this.#retransmitBuffer.clear();
    this.#refused.close();
    this.#flushWaiters.resolveAll();
    this.#port.scheduler.stop(this);
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    atEndOfTurn(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isFlushScheduled) return;
    while (this.#queue.size > 0 && !isAnyFull(this.#windows, this.#window)) {
      const messages = this.#queue.takeBatch(this.#port.packetBus.maxLength);
      if (messages.some(({ to }) => to === undefined)) {
        this.#sendToAll(messages);
      } else this.#sendToEach(messages);
    }
    if (this.#queue.size === 0) this.#onEverythingSent();
    const bufferedLength = this.#queue.length + this.#retransmitBuffer.length;
    if (bufferedLength > MAX_BUFFERED_LENGTH) this.#handleOverflow();
  }

  /** The size of the send windows, in batches. */
  get #window(): number {
    return windowFor(this.#flowControl, this.#windows.size);
  }

  #onEverythingSent(): void {
    const now = this.#port.scheduler.now();
    // Their last batch may have been sent before its acknowledgement was
    // requested.
    for (const node of this.#ackRequests.take(this.#windows.keys())) {
      const window = this.#windows.get(node);
      if (!window?.lacksRequest) continue;
      window.onRequested(now);
      this.#port.probe(node);
    }
    this.#flushWaiters.onSent(
      () => this.#windows.keys(),
      (node) => {
        const window = this.#windows.get(node);
        return window?.isAwaited ? window.lastSeq : undefined;
      },
    );
  }

  /** Sends one batch for all, to keep the order of all its messages. */
  #sendToAll(messages: readonly QueuedMessage[]): void {
    const prevSeq = this.lastPosition;
    this.#lastBroadcastSeq = this.#lastSeq + 1;
    this.#sendBatch(
      messages.map(({ message, to }): AddressedMessage =>
        to === undefined ? message : { ...message, only: to }
      ),
      prevSeq,
      undefined,
      this.#windows,
    );
    this.#unannouncedAt = this.#port.scheduler.now();
  }

  /** Sends one batch to each node, so that none gets messages for others. */
  #sendToEach(messages: readonly QueuedMessage[]): void {
    for (const [node, forNode] of groupByReceiver(messages)) {
      const window = this.#windows.get(node);
      // The receiver was removed meanwhile.
      if (window === undefined) continue;
      const prevSeq = { seq: window.lastSeq };
      this.#sendBatch(forNode, prevSeq, node, [[node, window]]);
    }
  }

  #sendBatch(
    messages: readonly AddressedMessage[],
    prevSeq: BatchPosition,
    to: string | undefined,
    windows: Iterable<[node: string, window: SendWindow]>,
  ): void {
    const batch: Batch = {
      kind: "batch",
      seq: ++this.#lastSeq,
      prevSeq,
      isForAll: to === undefined || undefined,
      ackBy: this.#ackRequests.in(to),
      messages,
    };
    const { seq } = batch;
    const text = this.#port.packetBus.serialize(batch);
    const now = this.#port.scheduler.now();
    let receivers = 0;
    for (const [node, window] of windows) {
      window.add(seq, now, expectsAck(batch, node));
      if (isRequestedOf(batch, node)) window.onRequested(now);
      receivers++;
    }
    if (receivers === 0) return;
    this.#retransmitBuffer.add(seq, text, to, receivers);
    this.#port.scheduler.start(this);
    this.#port.packetBus.publish(text, to, seq);
  }

  #publish(seq: number, to: string | undefined): void {
    this.#port.packetBus.publish(this.#retransmitBuffer.get(seq), to, seq);
  }

  /**
   * Removes the lagging receiver that is furthest behind. If there is none, the
   * send queue itself is too long and is cleared.
   */
  #handleOverflow(): void {
    const slowest = slowestOf(this.#windows, this.#flowControl.window);
    if (slowest !== undefined) return this.removeReceiver(slowest);
    if (this.#queue.length <= MAX_BUFFERED_LENGTH) return;
    const dropped = this.#queue.size;
    this.#queue.clear();
    this.#port.onOverflow(dropped, this.#windows.size);
  }
}
