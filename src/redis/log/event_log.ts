import type {
  Connecting,
  EventLog,
  Missed,
} from "../../cluster/delivery/event_log.ts";
import type { SendTarget } from "../../replay/recipients.ts";
import { ClusterError } from "../../errors.ts";
import { waitAtMost } from "../../runtime/deadline.ts";
import type { ResetReason } from "../../contracts/options.ts";
import type { ReplaySettings } from "../../contracts/resolve_options.ts";
import { withSseId } from "../../protocol/sse.ts";
import type { LogState, RedisComponent, RedisNode } from "../redis_node.ts";
import { DeliveredEvents } from "./delivered_events.ts";
import { LogWriter } from "./log_writer.ts";
import { AFTER, limitsOf } from "./log_scripts.ts";
import { readMissed } from "./missed_events.ts";
import {
  decodeBatch,
  decodeEntry,
  type PublishedEvent,
  targetOf,
} from "./log_codec.ts";
import { Condition } from "../connection/condition.ts";
import { OutOfOrderMessages } from "./out_of_order.ts";

type Deliver = (target: SendTarget, frame: string, offset: number) => void;

/**
 * How long to wait for a published event before it is read from the log, in
 * milliseconds.
 */
const GAP_TIMEOUT_MS = 50;

/**
 * A log of events in Redis, in one order for all nodes. Appending an event also
 * publishes it to the nodes. A node that misses a message reads the event from
 * the log.
 */
export class RedisEventLog implements EventLog, RedisComponent {
  readonly #redisNode: RedisNode;
  readonly #isLocal: (id: string) => boolean;
  readonly #limits: string[];
  readonly #writer: LogWriter;
  #deliver: Deliver = () => {};
  #epoch: string | undefined;
  /** The newest broadcast that was delivered here. */
  #lastBroadcast = 0;
  /** The newest event for this node alone that was delivered here. */
  #lastDirect = 0;
  /** All events up to this one were delivered. */
  #contiguousTo = 0;
  readonly #deliveredEvents: DeliveredEvents;
  /** For sessions that resumed here: the newest event of their replay. */
  readonly #replayedUpTo: Map<string, number> = new Map();
  readonly #outOfOrder = new OutOfOrderMessages();
  #catchUpRun: Promise<void> | undefined;
  readonly #delivered = new Condition();

  /**
   * @param redisNode The server, and the channels of this node.
   * @param settings The limits of the log.
   * @param isLocal Returns whether this node owns a session.
   */
  constructor(
    redisNode: RedisNode,
    settings: ReplaySettings,
    isLocal: (id: string) => boolean,
  ) {
    this.#redisNode = redisNode;
    this.#isLocal = isLocal;
    this.#limits = limitsOf(settings);
    this.#deliveredEvents = new DeliveredEvents(redisNode.nodeKeyId);
    this.#writer = new LogWriter(redisNode, settings, this.#limits, {
      isDelivered: ({ ids, seq }) =>
        this.#deliveredEvents.hasDelivered(ids === undefined, seq) ||
        ids?.some(isLocal) === false,
      deliver: (event) => {
        this.#deliveredEvents.markLocal(event.seq);
        this.#deliver(targetOf(event), event.frame, Number.MAX_SAFE_INTEGER);
      },
      onLate: () => void this.#catchUp(),
      epoch: () => this.#epoch,
    });
    redisNode.add(this);
    redisNode.bus.onEvents((text) => this.#take(text));
  }

  get latestEventId(): string | undefined {
    return this.#epoch && `${this.#epoch}-${this.newest}`;
  }

  /** The newest event that was delivered here. */
  get newest(): number {
    return Math.max(this.#lastBroadcast, this.#lastDirect);
  }

  /** The last event of this node that is in the log. */
  get appended(): number {
    return this.#writer.appended;
  }

  start(deliver: Deliver): void {
    this.#deliver = deliver;
  }

  append(target: SendTarget, frames: readonly string[]): void {
    for (const frame of frames) this.#writer.add(target, frame);
  }

  /**
   * Resolves when everything that was appended before is in the log, or cannot
   * be.
   */
  flushed(): Promise<void> {
    return this.#writer.flushed();
  }

  async delivered(): Promise<void> {
    const { requestTimeoutMs } = this.#redisNode.node;
    await waitAtMost(this.#writer.readBack(), requestTimeoutMs);
  }

  async missed(client: Connecting): Promise<Missed | ResetReason> {
    const { session: id, lastEventId } = client;
    const { connection } = this.#redisNode;
    try {
      const { epoch, upTo, reset, frames, newest } = await readMissed(
        this.#redisNode,
        this.#limits,
        client,
      );
      this.#replayedUpTo.set(id, newest);
      await this.#waitUntil(epoch, upTo);
      if (reset !== undefined) return reset;
      const latestEventId = epoch === "" ? "" : `${epoch}-${newest}`;
      return { frames, upTo: newest, latestEventId };
    } catch (error) {
      connection.report(error);
      // Nobody can tell what the client has missed.
      if (lastEventId !== undefined) return "unknown";
      return { frames: [], upTo: 0, latestEventId: this.latestEventId ?? "" };
    }
  }

  onLogState({ epoch, lastEvent, lastBroadcast, lastDirect }: LogState): void {
    if (this.#epoch === undefined) {
      // Earlier events are not for this node.
      this.#epoch = epoch;
      this.#lastBroadcast = lastBroadcast;
      this.#lastDirect = lastDirect;
      this.#contiguousTo = lastEvent;
      return this.#releaseOutOfOrder();
    }
    if (epoch !== this.#epoch) {
      // Redis has lost the log: all events of the new one are for this node.
      this.#epoch = epoch;
      this.#lastBroadcast = this.#lastDirect = this.#contiguousTo = 0;
      this.#replayedUpTo.clear();
      return void this.#catchUp();
    }
    if (lastBroadcast > this.#lastBroadcast || lastDirect > this.#lastDirect) {
      return void this.#catchUp();
    }
    this.#verify(lastEvent);
  }

  onReconnected(isEmpty: boolean): void {
    if (isEmpty) this.#writer.republish();
    this.#writer.flush();
    void this.#catchUp();
  }

  onRecovered(): void {
    this.#writer.flush();
  }

  onResubscribed(): void {
    void this.#catchUp();
  }

  close(): void {
    this.#writer.close();
    this.#outOfOrder.take();
    this.#delivered.notifyAll();
  }

  #take(text: string): void {
    if (this.#epoch === undefined || this.#catchUpRun !== undefined) {
      return this.#outOfOrder.add(text);
    }
    const message = decodeBatch(text);
    if (message === undefined) return this.#redisNode.node.ignore();
    const { epoch, sender, before: previousOffset, events, nodeKeyId } =
      message;
    // The message was for an earlier node of this name.
    if (nodeKeyId !== undefined && nodeKeyId !== this.#redisNode.nodeKeyId) {
      return;
    }
    const isBroadcast = nodeKeyId === undefined;
    if (epoch !== this.#epoch) {
      this.#outOfOrder.add(text);
      return void this.#redisNode.refreshLogState();
    }
    if (
      previousOffset > (isBroadcast ? this.#lastBroadcast : this.#lastDirect)
    ) {
      this.#outOfOrder.add(text);
      return void this.#catchUp();
    }
    for (const event of events) this.#receive(event, sender);
    this.#updatePosition();
  }

  /** Delivers an event, unless it was delivered before. */
  #receive(event: PublishedEvent, sender: string): void {
    const { offset, seq, isRepublished, frame, ids } = event;
    const isBroadcast = ids === undefined;
    if (offset <= (isBroadcast ? this.#lastBroadcast : this.#lastDirect)) {
      return;
    }
    if (isBroadcast) this.#lastBroadcast = offset;
    else this.#lastDirect = offset;
    if (
      this.#deliveredEvents.isDuplicate(sender, isBroadcast, seq, isRepublished)
    ) return;
    const withId = withSseId(frame, `${this.#epoch}-${offset}`);
    this.#deliver(targetOf(event), withId, offset);
  }

  #releaseOutOfOrder(): void {
    for (const text of this.#outOfOrder.take()) this.#take(text);
  }

  /** Reads the events that were published and did not arrive. */
  #catchUp(): Promise<void> {
    if (this.#epoch === undefined) return Promise.resolve();
    return this.#catchUpRun ??= this.#read().then(() => {
      this.#catchUpRun = undefined;
      this.#releaseOutOfOrder();
    }, (error) => {
      // Buffered messages are read from the log when the server is back.
      this.#catchUpRun = undefined;
      this.#outOfOrder.take();
      this.#redisNode.connection.report(error);
    }).finally(() => this.#updatePosition());
  }

  async #read(): Promise<void> {
    const { connection, keys, nodeKey } = this.#redisNode;
    let startPosition = Math.max(
      Math.min(this.#lastBroadcast, this.#lastDirect),
      this.#contiguousTo,
    );
    for (;;) {
      const [epoch, lastForAll, lastOwn, events, trimmedUpTo] = await connection
        .evaluate(
          AFTER,
          keys.logState,
          [keys.events, nodeKey, String(startPosition)],
        ) as [string, string, string, string[], string];
      if (epoch !== this.#epoch) return void this.#redisNode.refreshLogState();
      if (
        Number(trimmedUpTo) > this.#lastBroadcast && this.#lastBroadcast > 0
      ) {
        this.#reportGap();
      }
      for (let at = 0; at < events.length; at += 4) {
        const { sender, ...event } = decodeEntry(events.slice(at, at + 4));
        startPosition = event.offset;
        const { ids } = event;
        if (ids === undefined) {
          this.#receive(event, sender);
          continue;
        }
        const local = ids.filter((id) =>
          this.#isLocal(id) && startPosition > (this.#replayedUpTo.get(id) ?? 0)
        );
        if (local.length > 0) this.#receive({ ...event, ids: local }, sender);
      }
      if (events.length > 0) continue;
      this.#lastBroadcast = Math.max(this.#lastBroadcast, Number(lastForAll));
      this.#lastDirect = Math.max(this.#lastDirect, Number(lastOwn));
      this.#verify(Math.max(this.#contiguousTo, startPosition));
      return;
    }
  }

  #reportGap(): void {
    this.#redisNode.report(
      new ClusterError(
        "Broadcasts were trimmed before this node had read them: it was " +
          'disconnected for too long, or the limits of "replay" are too low.',
      ),
    );
  }

  #verify(offset: number): void {
    this.#contiguousTo = offset;
    for (const [id, newest] of this.#replayedUpTo) {
      if (newest <= offset) this.#replayedUpTo.delete(id);
    }
  }

  /**
   * Resolves when everything up to an event was delivered, or after a timeout.
   */
  async #waitUntil(epoch: string, upTo: number): Promise<void> {
    const { requestTimeoutMs } = this.#redisNode.node;
    const deadline = Date.now() + requestTimeoutMs;
    const isOver = () =>
      epoch !== this.#epoch || this.newest >= upTo || Date.now() > deadline;
    while (!isOver()) {
      const { newest } = this;
      await waitAtMost(this.#delivered.wait(), GAP_TIMEOUT_MS);
      if (this.newest === newest) await this.#catchUp();
    }
  }

  #updatePosition(): void {
    this.#writer.onReceived();
    this.#delivered.notifyAll();
  }
}
