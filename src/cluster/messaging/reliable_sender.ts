import {
  periodFor,
  type Ticker,
  type Watcher,
} from "../../runtime/scheduler.ts";
import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import type { Flow } from "./flow_control.ts";
import type { Ack, AddressedItem, Batch, Item, Position } from "./protocol.ts";
import { SentBatches } from "./retransmit_buffer.ts";
import { Settlements } from "./flush_waiters.ts";
import { type WaitingItem, WaitingItems } from "./send_queue.ts";

/** How many characters are kept for readers that are behind, and wait to be sent. */
const MAX_KEPT = 67_108_864;

/** What an {@linkcode Outbox} needs. */
export interface OutboxPort {
  readonly flow: Flow;
  /** Writes a batch; the result is what is published. */
  readonly write: (batch: Batch) => string;
  /** Publishes a text, to one node or all. */
  readonly publish: (text: string, to: string | undefined) => void;
  /** Asks a reader what it has. */
  readonly probe: (reader: string) => void;
  /** Told when texts had to be dropped before anybody got them. */
  readonly onOverflow: (items: number) => void;
  /** Runs the look at readers. */
  readonly ticker: Ticker;
}

/** A node that reads what this one sends. */
interface Reader {
  readonly attempt: number;
  /** The number after which batches are for it. */
  readonly after: number;
  /** The newest batch for it. */
  newest: number;
  /** The batches that it has not acknowledged. */
  unread: number[];
  /** When it acknowledged something last, or got something to acknowledge. */
  progressAt: number;
  askedAt: number;
  askEveryMs: number;
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
export class Outbox implements Watcher {
  readonly periodMs: number;
  readonly #port: OutboxPort;
  readonly #readers: Map<string, Reader> = new Map();
  readonly #waiting = new WaitingItems();
  #isScheduled = false;
  #isUrgent = false;
  /** The newest batch of which readers know that somebody waits for it. */
  #newestUrgent = 0;
  #newest = 0;
  #newestToAll = 0;
  readonly #sent = new SentBatches();
  #resent = 0;
  readonly #settlements = new Settlements();

  constructor(port: OutboxPort) {
    this.#port = port;
    this.periodMs = periodFor(port.flow.patienceMs);
  }

  /** How many batches were sent so far. */
  get published(): number {
    return this.#newest;
  }

  /** How many batches had to be sent again. */
  get resent(): number {
    return this.#resent;
  }

  /** The newest batch, for everyone who reads. */
  get position(): Position {
    let except: Record<string, number> | undefined;
    for (const [node, { newest }] of this.#readers) {
      if (newest !== this.#newestToAll) {
        (except ??= Object.create(null) as Record<string, number>)[node] =
          newest;
      }
    }
    return { number: this.#newestToAll, except };
  }

  /** Sends an item with the others of this turn, to one node or to all. */
  add(item: Item, to?: string): void {
    if (this.#readers.size === 0) return;
    this.#waiting.add(item, to);
    this.#schedule();
  }

  /** Resolves when every reader has what was added before, or has left. */
  async settled(): Promise<void> {
    if (this.#readers.size === 0) return;
    this.#isUrgent = true;
    this.#schedule();
    await this.#settlements.wait();
  }

  /** Takes a reader in; what it gets comes after the number. */
  addReader(node: string, attempt: number): number {
    const known = this.#readers.get(node);
    if (known?.attempt === attempt) return known.after;
    this.removeReader(node);
    const now = this.#port.ticker.now();
    const newest = this.#newest;
    this.#readers.set(node, {
      attempt,
      after: newest,
      newest,
      unread: [],
      progressAt: now,
      askedAt: now,
      askEveryMs: this.#port.flow.patienceMs,
      isLagging: false,
      isSuspended: false,
    });
    return newest;
  }

  /** Whether a node reads. */
  hasReader(node: string): boolean {
    return this.#readers.has(node);
  }

  /** The attempt with which a node began to read, if it did. */
  attemptOf(node: string): number | undefined {
    return this.#readers.get(node)?.attempt;
  }

  /** Takes a reader for dead, or not any more; what it gets is kept for it. */
  suspend(node: string, isSuspended: boolean): void {
    const reader = this.#readers.get(node);
    if (reader === undefined) return;
    reader.isSuspended = isSuspended;
    reader.isLagging = true;
    this.#settle();
    this.#flush();
  }

  /** Forgets a reader, and what was kept for it alone. */
  removeReader(node: string): void {
    const reader = this.#readers.get(node);
    if (reader === undefined) return;
    this.#readers.delete(node);
    for (const number of reader.unread) this.#sent.release(number);
    this.#settle();
    this.#flush();
  }

  /** Notes what a reader has, and sends again what it has not. */
  acknowledge(node: string, ack: Ack): void {
    const reader = this.#readers.get(node);
    if (reader === undefined) return;
    const now = this.#port.ticker.now();
    const { unread } = reader;
    let read = 0;
    while (read < unread.length && unread[read]! <= ack.number) {
      this.#sent.release(unread[read++]!);
    }
    if (read > 0) {
      unread.splice(0, read);
      reader.progressAt = now;
      reader.askEveryMs = this.#port.flow.patienceMs;
    }
    if (unread.length < this.#port.flow.window / 2) reader.isLagging = false;
    if (ack.isMissing) {
      reader.progressAt = now;
      for (const number of unread.slice(0, this.#port.flow.window)) {
        this.#resent++;
        this.#port.publish(this.#sent.text(number), node);
      }
    }
    if (read === 0) return;
    this.#settle();
    this.#flush();
  }

  /** Looks for readers that are silent. */
  tick(now: number): void {
    let isWaited = false;
    for (const [node, reader] of this.#readers) {
      if (reader.unread.length === 0 || reader.isSuspended) continue;
      isWaited = true;
      if (now - reader.progressAt >= this.#port.flow.patienceMs) {
        reader.isLagging = true;
      }
      if (
        now - Math.max(reader.askedAt, reader.progressAt) < reader.askEveryMs
      ) {
        continue;
      }
      reader.askedAt = now;
      reader.askEveryMs = Math.min(
        reader.askEveryMs * 2,
        10 * this.#port.flow.patienceMs,
      );
      this.#port.probe(node);
    }
    if (!isWaited) this.#port.ticker.stop(this);
    this.#flush();
  }

  /** Lets go of everything, and of everyone who waits. */
  close(): void {
    this.#readers.clear();
    this.#waiting.clear();
    this.#sent.clear();
    this.#settle();
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
    while (this.#waiting.size > 0 && this.#isOpen()) {
      const batch = this.#waiting.takeBatch();
      if (batch.some(({ to }) => to === undefined)) this.#sendToAll(batch);
      else this.#sendToEach(batch);
    }
    if (this.#waiting.size === 0) {
      if (this.#isUrgent) this.#hurry();
      this.#isUrgent = false;
      this.#settlements.sent(this.#newest);
      this.#settle();
    }
    if (this.#waiting.length + this.#sent.length > MAX_KEPT) this.#overflow();
  }

  /** Somebody waits for what was sent before, without hurry. */
  #hurry(): void {
    for (const [node, reader] of this.#readers) {
      const { unread, isSuspended } = reader;
      const last = unread.at(-1);
      if (isSuspended || last === undefined || last <= this.#newestUrgent) {
        continue;
      }
      this.#port.probe(node);
    }
    this.#newestUrgent = this.#newest;
  }

  #isOpen(): boolean {
    for (const { isLagging, isSuspended, unread } of this.#readers.values()) {
      if (
        !isLagging && !isSuspended && unread.length >= this.#port.flow.window
      ) return false;
    }
    return true;
  }

  #sendToAll(batch: readonly WaitingItem[]): void {
    const items = batch.map(({ item, to }): AddressedItem =>
      to === undefined ? item : { ...item, only: to }
    );
    const after = this.position;
    this.#newestToAll = this.#newest + 1;
    this.#send(items, undefined, after, this.#readers.values());
  }

  /** In batches of their own, so that nobody gets what is not for it. */
  #sendToEach(batch: readonly WaitingItem[]): void {
    const byNode = new Map<string, Item[]>();
    for (const { item, to } of batch) {
      const items = byNode.get(to!);
      if (items === undefined) byNode.set(to!, [item]);
      else items.push(item);
    }
    for (const [node, items] of byNode) {
      const reader = this.#readers.get(node);
      // It has left meanwhile.
      if (reader === undefined) continue;
      this.#send(items, node, { number: reader.newest }, [reader]);
    }
  }

  #send(
    items: readonly AddressedItem[],
    to: string | undefined,
    after: Position,
    readers: Iterable<Reader>,
  ): void {
    const number = ++this.#newest;
    if (this.#isUrgent) this.#newestUrgent = number;
    const text = this.#port.write({
      kind: "batch",
      number,
      after,
      isUrgent: this.#isUrgent || undefined,
      items,
    });
    let unreadBy = 0;
    for (const reader of readers) {
      if (reader.unread.length === 0) {
        reader.progressAt = this.#port.ticker.now();
      }
      reader.unread.push(number);
      reader.newest = number;
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
    let most = this.#port.flow.window;
    for (const [node, { isLagging, unread }] of this.#readers) {
      if (!isLagging || unread.length <= most) continue;
      most = unread.length;
      slowest = node;
    }
    if (slowest !== undefined) return this.removeReader(slowest);
    if (this.#waiting.length <= MAX_KEPT) return;
    const dropped = this.#waiting.size;
    this.#waiting.clear();
    this.#port.onOverflow(dropped);
  }

  #settle(): void {
    if (this.#readers.size === 0) return this.#settlements.release();
    let read = Infinity;
    for (const { unread, isSuspended } of this.#readers.values()) {
      if (unread.length === 0 || isSuspended) continue;
      read = Math.min(read, unread[0]! - 1);
    }
    this.#settlements.read(read);
  }
}
