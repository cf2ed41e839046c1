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

/** How many characters are kept for readers that are behind, and wait to be sent. */
const MAX_KEPT = 67_108_864;

/** What an {@linkcode ReliableSender} needs. */
export interface ReliableSenderPort {
  readonly flowControl: FlowControl;
  /** Writes a batch; the result is what is published. */
  readonly write: (batch: Batch) => string;
  /** Publishes a text, to one node or all. */
  readonly publish: (text: string, to: string | undefined) => void;
  /** Asks a reader what it has. */
  readonly probe: (reader: string) => void;
  /** Told when texts had to be dropped before anybody got them. */
  readonly onOverflow: (items: number) => void;
  /** Runs the look at readers. */
  readonly ticker: Scheduler;
}

/** A node that reads what this one sends. */
interface ReceiverState {
  readonly handshakeId: number;
  /** The number after which batches are for it. */
  readonly ackedSeq: number;
  /** The newest batch for it. */
  lastSeq: number;
  /** The batches that it has not acknowledged. */
  unacked: number[];
  /** When it acknowledged something last, or got something to acknowledge. */
  progressAt: number;
  probedAt: number;
  probeEveryMs: number;
  /** Whether the others go on without waiting for it. */
  isLagging: boolean;
  /** Whether it is taken for dead: nobody waits for it at all. */
  isSuspended: boolean;
}

/**
 * What a node sends: collects a turn's items, numbers them in batches, and keeps
 * those until their readers have them.
 *
 * The window holds as long as somebody reads: one who is silent for a while is not
 * waited for, and fetches the rest when it can.
 */
export class ReliableSender implements PeriodicTask {
  readonly periodMs: number;
  readonly #port: ReliableSenderPort;
  readonly #receivers: Map<string, ReceiverState> = new Map();
  readonly #queue = new SendQueue();
  #isScheduled = false;
  #isAckRequested = false;
  /** The newest batch of which readers know that somebody waits for it. */
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

  /** How many batches were sent so far. */
  get published(): number {
    return this.#lastSeq;
  }

  /** How many batches had to be sent again. */
  get resent(): number {
    return this.#resent;
  }

  /** The newest batch, for everyone who reads. */
  get lastPosition(): BatchPosition {
    let except: Record<string, number> | undefined;
    for (const [node, { lastSeq }] of this.#receivers) {
      if (lastSeq !== this.#lastBroadcastSeq) {
        (except ??= Object.create(null) as Record<string, number>)[node] =
          lastSeq;
      }
    }
    return { seq: this.#lastBroadcastSeq, overrides: except };
  }

  /** Sends an item with the others of this turn, to one node or to all. */
  add(item: ClusterMessage, to?: string): void {
    if (this.#receivers.size === 0) return;
    this.#queue.add(item, to);
    this.#schedule();
  }

  /** Resolves when every reader has what was added before, or has left. */
  async flushed(): Promise<void> {
    if (this.#receivers.size === 0) return;
    this.#isAckRequested = true;
    this.#schedule();
    await this.#flushWaiters.wait();
  }

  /** Takes a reader in; what it gets comes after the number. */
  addReceiver(node: string, attempt: number): number {
    const known = this.#receivers.get(node);
    if (known?.handshakeId === attempt) return known.ackedSeq;
    this.removeReceiver(node);
    const now = this.#port.ticker.now();
    const newest = this.#lastSeq;
    this.#receivers.set(node, {
      handshakeId: attempt,
      ackedSeq: newest,
      lastSeq: newest,
      unacked: [],
      progressAt: now,
      probedAt: now,
      probeEveryMs: this.#port.flowControl.retransmitTimeoutMs,
      isLagging: false,
      isSuspended: false,
    });
    return newest;
  }

  /** Whether a node reads. */
  hasReceiver(node: string): boolean {
    return this.#receivers.has(node);
  }

  /** The attempt with which a node began to read, if it did. */
  handshakeIdOf(node: string): number | undefined {
    return this.#receivers.get(node)?.handshakeId;
  }

  /** Takes a reader for dead, or not any more; what it gets is kept for it. */
  suspend(node: string, isSuspended: boolean): void {
    const reader = this.#receivers.get(node);
    if (reader === undefined) return;
    reader.isSuspended = isSuspended;
    reader.isLagging = true;
    this.#resolveFlushed();
    this.#flush();
  }

  /** Forgets a reader, and what was kept for it alone. */
  removeReceiver(node: string): void {
    const reader = this.#receivers.get(node);
    if (reader === undefined) return;
    this.#receivers.delete(node);
    for (const number of reader.unacked) this.#sent.release(number);
    this.#resolveFlushed();
    this.#flush();
  }

  /** Notes what a reader has, and sends again what it has not. */
  acknowledge(node: string, ack: Ack): void {
    const reader = this.#receivers.get(node);
    if (reader === undefined) return;
    const now = this.#port.ticker.now();
    const { unacked } = reader;
    let read = 0;
    while (read < unacked.length && unacked[read]! <= ack.seq) {
      this.#sent.release(unacked[read++]!);
    }
    if (read > 0) {
      unacked.splice(0, read);
      reader.progressAt = now;
      reader.probeEveryMs = this.#port.flowControl.retransmitTimeoutMs;
    }
    if (unacked.length < this.#port.flowControl.window / 2) {
      reader.isLagging = false;
    }
    if (ack.isNack) {
      reader.progressAt = now;
      for (const number of unacked.slice(0, this.#port.flowControl.window)) {
        this.#resent++;
        this.#port.publish(this.#sent.text(number), node);
      }
    }
    if (read === 0) return;
    this.#resolveFlushed();
    this.#flush();
  }

  /** Looks for readers that are silent. */
  run(now: number): void {
    let isWaited = false;
    for (const [node, reader] of this.#receivers) {
      if (reader.unacked.length === 0 || reader.isSuspended) continue;
      isWaited = true;
      if (
        now - reader.progressAt >= this.#port.flowControl.retransmitTimeoutMs
      ) {
        reader.isLagging = true;
      }
      if (
        now - Math.max(reader.probedAt, reader.progressAt) < reader.probeEveryMs
      ) {
        continue;
      }
      reader.probedAt = now;
      reader.probeEveryMs = Math.min(
        reader.probeEveryMs * 2,
        10 * this.#port.flowControl.retransmitTimeoutMs,
      );
      this.#port.probe(node);
    }
    if (!isWaited) this.#port.ticker.stop(this);
    this.#flush();
  }

  /** Lets go of everything, and of everyone who waits. */
  close(): void {
    this.#receivers.clear();
    this.#queue.clear();
    this.#sent.clear();
    this.#resolveFlushed();
    this.#port.ticker.stop(this);
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

  /** Somebody waits for what was sent before, without hurry. */
  #requestAcks(): void {
    for (const [node, reader] of this.#receivers) {
      const { unacked, isSuspended } = reader;
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
    const items = batch.map(({ message, to }): AddressedMessage =>
      to === undefined ? message : { ...message, only: to }
    );
    const after = this.lastPosition;
    this.#lastBroadcastSeq = this.#lastSeq + 1;
    this.#send(items, undefined, after, this.#receivers.values());
  }

  /** In batches of their own, so that nobody gets what is not for it. */
  #sendToEach(batch: readonly QueuedMessage[]): void {
    const byNode = new Map<string, ClusterMessage[]>();
    for (const { message, to } of batch) {
      const items = byNode.get(to!);
      if (items === undefined) byNode.set(to!, [message]);
      else items.push(message);
    }
    for (const [node, items] of byNode) {
      const reader = this.#receivers.get(node);
      // It has left meanwhile.
      if (reader === undefined) continue;
      this.#send(items, node, { seq: reader.lastSeq }, [reader]);
    }
  }

  #send(
    items: readonly AddressedMessage[],
    to: string | undefined,
    after: BatchPosition,
    readers: Iterable<ReceiverState>,
  ): void {
    const number = ++this.#lastSeq;
    if (this.#isAckRequested) this.#lastUrgentSeq = number;
    const text = this.#port.write({
      kind: "batch",
      seq: number,
      prevSeq: after,
      isAckRequested: this.#isAckRequested || undefined,
      messages: items,
    });
    let unreadBy = 0;
    for (const reader of readers) {
      if (reader.unacked.length === 0) {
        reader.progressAt = this.#port.ticker.now();
      }
      reader.unacked.push(number);
      reader.lastSeq = number;
      unreadBy++;
    }
    if (unreadBy === 0) return;
    this.#sent.add(number, text, unreadBy);
    this.#port.ticker.start(this);
    this.#port.publish(text, to);
  }

  /** Cuts off the readers that are furthest behind, or drops what nobody has. */
  #overflow(): void {
    let slowest: string | undefined;
    let most = this.#port.flowControl.window;
    for (const [node, { isLagging, unacked }] of this.#receivers) {
      if (!isLagging || unacked.length <= most) continue;
      most = unacked.length;
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
