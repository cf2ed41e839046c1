import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../../runtime/scheduler.ts";
import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import { FlushWaiters } from "./flush_waiters.ts";
import type { FlowControl } from "./message_bus.ts";
import type {
  Ack,
  AddressedMessage,
  BatchPosition,
  ClusterMessage,
} from "./protocol.ts";
import type { PacketBus } from "./packet_bus.ts";
import { RefusedBatches } from "./refusals/refused_batches.ts";
import { MAX_BUFFERED_LENGTH, RetransmitBuffer } from "./retransmit_buffer.ts";
import {
  groupByReceiver,
  type QueuedMessage,
  SendQueue,
} from "./send_queue.ts";
import {
  acknowledgedSeq,
  isAnyFull,
  positionOf,
  SendWindow,
  slowestOf,
  unackedBy,
} from "./send_window.ts";

/** What a {@linkcode ReliableSender} needs. */
export interface ReliableSenderPort {
  readonly packetBus: PacketBus;
  readonly scheduler: Scheduler;
  /** Requests an acknowledgement of a receiver. */
  readonly probe: (receiver: string) => void;
  /**
   * Called when the send queue was cleared because it was too long.
   *
   * @param messages The number of messages that were dropped.
   * @param receivers The number of nodes that they were for, at most.
   */
  readonly onOverflow: (messages: number, receivers: number) => void;
  /**
   * Called when a batch was given up, because the bus refuses it.
   *
   * @param bytes Its length in UTF-8.
   * @param receivers The nodes that have not acknowledged it.
   * @param cause The error of the bus.
   */
  readonly onGivenUp: (
    bytes: number,
    receivers: readonly string[],
    cause: unknown,
  ) => void;
}

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
  #isAckRequested = false;
  /** Acknowledgements of all batches up to this one were requested. */
  #ackRequestedSeq = 0;

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
   * Resolves when every receiver has acknowledged what was sent before, or was
   * removed.
   */
  async flushed(): Promise<void> {
    if (this.#windows.size === 0) return;
    this.#isAckRequested = true;
    this.#scheduleFlush();
    await this.#flushWaiters.wait();
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
    this.#resolveFlushed();
    this.#flush();
  }

  /** Removes a receiver, and the batches that are kept only for it. */
  removeReceiver(node: string): void {
    const window = this.#windows.get(node);
    if (window === undefined) return;
    this.#windows.delete(node);
    for (const seq of window.unacked) this.#retransmitBuffer.release(seq);
    this.#resolveFlushed();
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
    this.#resolveFlushed();
    this.#flush();
  }

  /** Probes receivers that acknowledge nothing, and retries what was refused. */
  run(now: number): void {
    this.#refused.retry();
    let isWaiting = false;
    for (const [node, window] of this.#windows) {
      if (!window.isAwaited) continue;
      isWaiting = true;
      if (window.check(now)) this.#port.probe(node);
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
    this.#resolveFlushed();
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
    while (this.#queue.size > 0 && !isAnyFull(this.#windows)) {
      const messages = this.#queue.takeBatch(this.#port.packetBus.maxLength);
      if (messages.some(({ to }) => to === undefined)) {
        this.#sendToAll(messages);
      } else this.#sendToEach(messages);
    }
    if (this.#queue.size === 0) {
      if (this.#isAckRequested) this.#requestAcks();
      this.#isAckRequested = false;
      this.#flushWaiters.onSent(this.#lastSeq);
      this.#resolveFlushed();
    }
    const bufferedLength = this.#queue.length + this.#retransmitBuffer.length;
    if (bufferedLength > MAX_BUFFERED_LENGTH) this.#handleOverflow();
  }

  /** Probes the receivers whose last batch did not request an acknowledgement. */
  #requestAcks(): void {
    for (const [node, { isAwaited, lastSeq }] of this.#windows) {
      if (isAwaited && lastSeq > this.#ackRequestedSeq) this.#port.probe(node);
    }
    this.#ackRequestedSeq = this.#lastSeq;
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
      this.#windows.values(),
    );
  }

  /** Sends one batch to each node, so that none gets messages for others. */
  #sendToEach(messages: readonly QueuedMessage[]): void {
    for (const [node, forNode] of groupByReceiver(messages)) {
      const window = this.#windows.get(node);
      // The receiver was removed meanwhile.
      if (window === undefined) continue;
      this.#sendBatch(forNode, { seq: window.lastSeq }, node, [window]);
    }
  }

  #sendBatch(
    messages: readonly AddressedMessage[],
    prevSeq: BatchPosition,
    to: string | undefined,
    windows: Iterable<SendWindow>,
  ): void {
    const seq = ++this.#lastSeq;
    if (this.#isAckRequested) this.#ackRequestedSeq = seq;
    const text = this.#port.packetBus.serialize({
      kind: "batch",
      seq,
      prevSeq,
      isAckRequested: this.#isAckRequested || undefined,
      messages,
    });
    const now = this.#port.scheduler.now();
    let receivers = 0;
    for (const window of windows) {
      window.add(seq, now);
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

  #resolveFlushed(): void {
    if (this.#windows.size === 0) return this.#flushWaiters.resolveAll();
    this.#flushWaiters.onAcknowledged(acknowledgedSeq(this.#windows));
  }
}
