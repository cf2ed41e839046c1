import type {
  EventLog,
  Missed,
  SessionIds,
} from "../../cluster/delivery/event_log.ts";
import { ClusterError } from "../../errors.ts";
import { waitAtMost } from "../../runtime/deadline.ts";
import type { ResetReason } from "../../contracts/options.ts";
import type { ReplaySettings } from "../../contracts/resolve_options.ts";
import { withSseId } from "../../protocol/sse.ts";
import type { LogState, RedisComponent, RedisNode } from "../redis_node.ts";
import { DeliveredEvents } from "./delivered_events.ts";
import { LogWriter } from "./log_writer.ts";
import { AFTER, MISSED } from "./log_scripts.ts";
import {
  decodeBatch,
  decodeEntry,
  parseEventId,
  type PublishedEvent,
} from "./log_codec.ts";
import { Condition } from "../connection/condition.ts";

type Deliver = (audience: SessionIds, frame: string, offset: number) => void;

/** How long to wait for what was published before it is looked for, in milliseconds. */
const GAP_TIMEOUT_MS = 50;
/** How many messages wait for others, before those are read. */
const MAX_OUT_OF_ORDER = 10_000;

/**
 * Events in Redis, in one order for all nodes. What is added is published to the
 * nodes in the same go; what a node did not hear, it reads.
 */
export class RedisEventLog implements EventLog, RedisComponent {
  readonly #redisNode: RedisNode;
  readonly #isLocal: (id: string) => boolean;
  readonly #limits: string[];
  readonly #writer: LogWriter;
  #deliver: Deliver = () => {};
  #epoch: string | undefined;
  /** The newest event for everyone that was delivered here. */
  #lastBroadcast = 0;
  /** The newest one for this node alone. */
  #lastDirect = 0;
  /** Up to here nothing is missing. */
  #contiguousTo = 0;
  readonly #deliveredEvents: DeliveredEvents;
  /** Up to where sessions that came here have got what was before. */
  readonly #resumeFloors: Map<string, number> = new Map();
  #outOfOrder: string[] = [];
  #catchUpRun: Promise<void> | undefined;
  readonly #delivered = new Condition();

  /**
   * @param backend The server, and the channels of this node.
   * @param settings How much is kept.
   * @param isHere Whether this node is the home of a session.
   */
  constructor(
    backend: RedisNode,
    settings: ReplaySettings,
    isHere: (id: string) => boolean,
  ) {
    this.#redisNode = backend;
    this.#isLocal = isHere;
    this.#limits = limitsOf(settings);
    this.#deliveredEvents = new DeliveredEvents(backend.nodeKeyId);
    this.#writer = new LogWriter(backend, settings, this.#limits, {
      isDelivered: ({ ids, seq }) =>
        this.#deliveredEvents.hasDelivered(ids === undefined, seq) ||
        ids?.some(isHere) === false,
      deliver: ({ ids, frame, seq }) => {
        this.#deliveredEvents.markLocal(seq);
        this.#deliver(ids, frame, Number.MAX_SAFE_INTEGER);
      },
      onLate: () => void this.#catchUp(),
      epoch: () => this.#epoch,
    });
    backend.add(this);
    backend.bus.onEvents((text) => this.#take(text));
  }

  get latestEventId(): string | undefined {
    return this.#epoch && `${this.#epoch}-${this.newest}`;
  }

  /** The newest event that was delivered here. */
  get newest(): number {
    return Math.max(this.#lastBroadcast, this.#lastDirect);
  }

  start(deliver: Deliver): void {
    this.#deliver = deliver;
  }

  append(audience: SessionIds, frames: readonly string[]): void {
    for (const frame of frames) this.#writer.add(audience, frame);
  }

  /** Resolves when what was added before is in the log, or cannot be. */
  flushed(): Promise<void> {
    return this.#writer.flushed();
  }

  async delivered(): Promise<void> {
    const { requestTimeoutMs } = this.#redisNode.node;
    await waitAtMost(this.#writer.readBack(), requestTimeoutMs);
  }

  async missed(
    id: string,
    lastEventId: string | undefined,
    since: string | undefined,
  ): Promise<Missed | ResetReason> {
    const place = parseEventId(lastEventId);
    const start = parseEventId(since);
    const { keys, connection, nodeKey } = this.#redisNode;
    try {
      const [epoch, upTo, reset, missed, newest] = await connection.evaluate(
        MISSED,
        keys.logState,
        [
          keys.prefix,
          id,
          nodeKey,
          ...this.#limits,
          place?.offset ?? "",
          place?.epoch ?? "",
          start?.epoch === place?.epoch ? start?.offset ?? "0" : "0",
        ],
      ) as [string, string, ResetReason | "", string[], string];
      this.#resumeFloors.set(id, Number(newest));
      await this.#waitUntil(epoch, Number(upTo));
      if (lastEventId !== undefined && place === undefined) return "unknown";
      if (reset !== "") return reset;
      const frames: string[] = [];
      for (let at = 0; at < missed.length; at += 2) {
        const frame = JSON.parse(missed[at + 1]!) as string;
        frames.push(withSseId(frame, `${epoch}-${missed[at]}`));
      }
      const position = epoch === "" ? "" : `${epoch}-${newest}`;
      return { frames, upTo: Number(newest), latestEventId: position };
    } catch (error) {
      connection.report(error);
      // Nothing can be said of what it has missed.
      if (lastEventId !== undefined) return "unknown";
      return { frames: [], upTo: 0, latestEventId: this.latestEventId ?? "" };
    }
  }

  onLogState({ epoch, lastEvent, lastBroadcast, lastDirect }: LogState): void {
    if (this.#epoch === undefined) {
      // What was before is not for this node.
      this.#epoch = epoch;
      this.#lastBroadcast = lastBroadcast;
      this.#lastDirect = lastDirect;
      this.#contiguousTo = lastEvent;
      return this.#releaseOutOfOrder();
    }
    if (epoch !== this.#epoch) {
      // Redis has lost the log: all of the new one is for this node.
      this.#epoch = epoch;
      this.#lastBroadcast = this.#lastDirect = this.#contiguousTo = 0;
      this.#resumeFloors.clear();
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
    this.#outOfOrder = [];
    this.#delivered.notifyAll();
  }

  #take(text: string): void {
    if (this.#epoch === undefined || this.#catchUpRun !== undefined) {
      return this.#bufferOutOfOrder(text);
    }
    const message = decodeBatch(text);
    if (message === undefined) return this.#redisNode.node.ignore();
    const { epoch, sender, before, events, nodeKeyId } = message;
    // It was for an earlier node of this name.
    if (nodeKeyId !== undefined && nodeKeyId !== this.#redisNode.nodeKeyId) {
      return;
    }
    const isToAll = nodeKeyId === undefined;
    if (epoch !== this.#epoch) {
      this.#bufferOutOfOrder(text);
      return void this.#redisNode.refreshLogState();
    }
    if (before > (isToAll ? this.#lastBroadcast : this.#lastDirect)) {
      this.#bufferOutOfOrder(text);
      return void this.#catchUp();
    }
    for (const event of events) this.#receive(event, sender);
    this.#updatePosition();
  }

  /** Delivers an event, if it is new here. */
  #receive(event: PublishedEvent, sender: string): void {
    const { offset, seq, isRepublished, frame, ids } = event;
    const isToAll = ids === undefined;
    if (offset <= (isToAll ? this.#lastBroadcast : this.#lastDirect)) return;
    if (isToAll) this.#lastBroadcast = offset;
    else this.#lastDirect = offset;
    if (
      this.#deliveredEvents.isDuplicate(sender, isToAll, seq, isRepublished)
    ) return;
    this.#deliver(ids, withSseId(frame, `${this.#epoch}-${offset}`), offset);
  }

  #bufferOutOfOrder(text: string): void {
    this.#outOfOrder.push(text);
    // Those that are dropped are read.
    if (this.#outOfOrder.length > MAX_OUT_OF_ORDER) this.#outOfOrder.shift();
  }

  #releaseOutOfOrder(): void {
    const held = this.#outOfOrder;
    this.#outOfOrder = [];
    for (const text of held) this.#take(text);
  }

  /** Reads what was published and did not come. */
  #catchUp(): Promise<void> {
    if (this.#epoch === undefined) return Promise.resolve();
    return this.#catchUpRun ??= this.#read().then(() => {
      this.#catchUpRun = undefined;
      this.#releaseOutOfOrder();
    }, (error) => {
      // What is held is read when the server is back.
      this.#catchUpRun = undefined;
      this.#outOfOrder = [];
      this.#redisNode.connection.report(error);
    }).finally(() => this.#updatePosition());
  }

  async #read(): Promise<void> {
    const { connection, keys, nodeKey } = this.#redisNode;
    let start = Math.max(
      Math.min(this.#lastBroadcast, this.#lastDirect),
      this.#contiguousTo,
    );
    for (;;) {
      const [epoch, all, own, events, gone] = await connection.evaluate(
        AFTER,
        keys.logState,
        [keys.events, nodeKey, String(start)],
      ) as [string, string, string, string[], string];
      if (epoch !== this.#epoch) return void this.#redisNode.refreshLogState();
      if (Number(gone) > this.#lastBroadcast && this.#lastBroadcast > 0) {
        this.#reportGap();
      }
      for (let at = 0; at < events.length; at += 4) {
        const { sender, ...event } = decodeEntry(events.slice(at, at + 4));
        start = event.offset;
        const { ids } = event;
        if (ids === undefined) {
          this.#receive(event, sender);
          continue;
        }
        const here = ids.filter((id) =>
          this.#isLocal(id) && start > (this.#resumeFloors.get(id) ?? 0)
        );
        if (here.length > 0) this.#receive({ ...event, ids: here }, sender);
      }
      if (events.length > 0) continue;
      this.#lastBroadcast = Math.max(this.#lastBroadcast, Number(all));
      this.#lastDirect = Math.max(this.#lastDirect, Number(own));
      this.#verify(Math.max(this.#contiguousTo, start));
      return;
    }
  }

  #reportGap(): void {
    this.#redisNode.report(
      new ClusterError(
        "Events for everyone were dropped before this node had read them: it was " +
          "cut off for too long, or the limits of replay are too low.",
      ),
    );
  }

  #verify(offset: number): void {
    this.#contiguousTo = offset;
    for (const [id, floor] of this.#resumeFloors) {
      if (floor <= offset) this.#resumeFloors.delete(id);
    }
  }

  /** Resolves when what there is was delivered, or takes too long. */
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

/** The longest that anything is kept, in milliseconds: thirty days. */
const MOST_MS = 2_592_000_000;

/** The limits as arguments of scripts: events, bytes, microseconds. */
function limitsOf({ maxEvents, maxBytes, maxAgeMs }: ReplaySettings): string[] {
  return [
    String(Math.min(maxEvents, Number.MAX_SAFE_INTEGER)),
    String(Math.min(maxBytes, Number.MAX_SAFE_INTEGER)),
    String(Math.ceil(Math.min(maxAgeMs, MOST_MS) * 1_000)),
  ];
}
