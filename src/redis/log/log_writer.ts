import { ClusterError } from "../../errors.ts";
import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import { isBroadcast, type SendTarget } from "../../replay/recipients.ts";
import type { ReplaySettings } from "../../contracts/resolve_options.ts";
import type { Connecting } from "../../cluster/delivery/event_log.ts";
import { newEpoch, type RedisNode } from "../redis_node.ts";
import { APPEND, LOG_TTL_MS } from "./log_scripts.ts";
import {
  BATCH_RECIPIENTS,
  chunkRecipients,
  encodeArguments,
  estimateSize,
  isEventFor,
  type NewEvent,
  newEvent,
} from "./log_codec.ts";
import { isTransientError } from "../connection/redis_errors.ts";
import { RecentAppends } from "./recent_appends.ts";
import { Condition } from "../connection/condition.ts";

/** The limits of one command: its length in characters, and its events. */
const BATCH_LENGTH = 1_048_576;
const BATCH_EVENTS = 500;
/** How much may wait while the server is unavailable, in characters. */
const MAX_QUEUED_LENGTH = 67_108_864;
/** After how many milliseconds an appended event should have been received. */
const READ_BACK_MS = 200;

/** What a {@linkcode LogWriter} needs. */
export interface LogWriterListener {
  /**
   * Returns whether an event of this node was received here, or is for other
   * nodes only.
   */
  readonly isDelivered: (event: NewEvent) => boolean;
  /** Delivers an event to streams of this node that cannot be appended now. */
  readonly deliver: (event: NewEvent) => void;
  /** Called if an event was appended but not received in time. */
  readonly onLate: () => void;
  /** Returns the epoch of the log to append to, as far as it is known. */
  readonly epoch: () => string | undefined;
}

/**
 * Appends this node's events to the log, one command after the other; each
 * takes the events that were added meanwhile. Events that cannot be appended
 * now are delivered locally, and appended when the server is back.
 */
export class LogWriter {
  readonly #redisNode: RedisNode;
  readonly #limits: readonly string[];
  readonly #ttlMs: number;
  readonly #listener: LogWriterListener;
  #queue: NewEvent[] = [];
  /** How many of them were delivered locally. */
  #deliveredLocally = 0;
  #length = 0;
  #seq = 0;
  #appended = 0;
  /** The epoch of the log that has it. */
  #appendedTo: string | undefined;
  /** The newest event of which this node expects to receive a copy. */
  #last: NewEvent | undefined;
  /** What the server may lose. */
  readonly recent: RecentAppends;
  /** Whether earlier events that were appended were also delivered locally. */
  #isLocal = false;
  #isScheduled = false;
  #isWriting = false;
  readonly #onFlushed: {
    readonly count: number;
    readonly resolve: () => void;
  }[] = [];
  readonly #receivedSeq = new Condition();
  #echo: ReturnType<typeof setTimeout> | undefined;

  constructor(
    redisNode: RedisNode,
    { maxAgeMs }: ReplaySettings,
    limits: readonly string[],
    listener: LogWriterListener,
  ) {
    this.#redisNode = redisNode;
    this.#limits = limits;
    this.#ttlMs = Math.max(LOG_TTL_MS, Math.min(maxAgeMs * 2, 5_184_000_000));
    this.#listener = listener;
    this.recent = new RecentAppends(redisNode.periodMs);
  }

  /** The sequence number of the last event that was appended. */
  get appended(): number {
    return this.#appended;
  }

  /** The same, for one log; 0 if it has no event of this node. */
  appendedIn(epoch: string | undefined): number {
    return epoch === this.#appendedTo ? this.#appended : 0;
  }

  /** The sequence number of the last event that was added. */
  get added(): number {
    return this.#seq;
  }

  /** The oldest event that may be delivered without the log. */
  get oldest(): number {
    return this.recent.oldest ?? this.#queue[0]?.seq ?? Infinity;
  }

  /** Frames for a client, up to an event, that only this node has delivered. */
  keptFor({ session, transport }: Connecting, seq: number): string[] {
    return this.#queue.slice(0, this.#deliveredLocally).filter((event) =>
      event.seq <= seq && isEventFor(event, session, transport) &&
      !event.isRepublished
    ).map(({ frame }) => frame);
  }

  /** Adds an event; it is appended together with the others of this turn. */
  add(target: SendTarget, frame: string): void {
    if (isBroadcast(target)) return this.#add(target, frame);
    // A long command would block the server.
    for (const ids of chunkRecipients(target, frame)) {
      this.#add(ids, frame);
    }
  }

  /** Resolves when what was added is in the log, or cannot be now. */
  async flushed(): Promise<void> {
    const last = this.#queue.at(-1)?.seq;
    if (last === undefined || this.#redisNode.isRecovering) return;
    const flushed = new Promise<void>((resolve) =>
      this.#onFlushed.push({ count: last, resolve })
    );
    this.flush();
    await flushed;
  }

  /** Resolves when what was added was delivered here, or cannot be. */
  async readBack(): Promise<void> {
    const last = this.#last;
    await this.flushed();
    while (
      last !== undefined && !this.#listener.isDelivered(last) &&
      !this.#redisNode.isRecovering && !this.#redisNode.isClosed
    ) {
      await this.#receivedSeq.wait();
    }
  }

  /** Called when an event was received. */
  onReceived(): void {
    this.#receivedSeq.notifyAll();
  }

  /** Appends again what the server may have lost before others had it. */
  republish(): void {
    const republished = this.recent.take();
    this.#queue = [...republished, ...this.#queue];
    this.#deliveredLocally += republished.length;
    for (const event of republished) this.#length += estimateSize(event);
  }

  /** Appends the queued events. */
  flush(): void {
    if (!this.#isWriting) void this.#write();
  }

  /** Stops appending. */
  close(): void {
    clearTimeout(this.#echo);
    this.#queue = [];
    this.onReceived();
    this.#settle();
  }

  #add(target: SendTarget, frame: string): void {
    const event = newEvent(++this.#seq, target, frame);
    this.#queue.push(event);
    this.#length += estimateSize(event);
    this.#last = event;
    if (this.#redisNode.isRecovering) {
      this.#deliverLocally();
      this.#limit();
    } else this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isWriting) return;
    this.#isScheduled = true;
    atEndOfTurn(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    while (this.#queue.length > 0 && !this.#redisNode.isRecovering) {
      const events = this.#batch();
      try {
        const isAdded = await this.#append(events);
        // The log is another one: its state is being read.
        if (!isAdded) break;
      } catch (error) {
        if (isTransientError(error)) break;
        // The command was refused, and would be refused again.
        this.#redisNode.connection.report(error);
        for (const event of events) this.#flushLocally(event);
        this.#remove(events);
      }
      this.#settle();
    }
    this.#isWriting = false;
    if (this.#redisNode.isRecovering) this.#deliverLocally();
    this.#settle();
  }

  async #append(events: readonly NewEvent[]): Promise<boolean> {
    const { connection, keys, nodeKeyId } = this.#redisNode;
    const epoch = this.#listener.epoch();
    const added = await connection.evaluate(
      APPEND,
      keys.logState,
      [
        keys.prefix,
        nodeKeyId,
        String(events[0]!.seq),
        ...this.#limits,
        newEpoch(),
        keys.broadcastChannel,
        keys.nodeChannelPrefix,
        String(this.#ttlMs),
        epoch ?? "",
        ...events.flatMap(encodeArguments),
      ],
    );
    if (added === "lost") {
      await this.#redisNode.refreshLogState();
      return false;
    }
    this.#isLocal = false;
    this.#appended = Math.max(this.#appended, events.at(-1)!.seq);
    this.#appendedTo = epoch;
    this.#remove(events);
    this.recent.add(events, Number(added));
    if (this.#areReceived(events)) return true;
    this.#echo ??= setTimeout(() => {
      this.#echo = undefined;
      if (!this.#areReceived(events)) this.#listener.onLate();
    }, READ_BACK_MS);
    return true;
  }

  #areReceived(events: readonly NewEvent[]): boolean {
    return events.every((event) => this.#listener.isDelivered(event));
  }

  /** Returns consecutive events, as many as one command takes. */
  #batch(): NewEvent[] {
    const events: NewEvent[] = [];
    let length = 0;
    let recipients = 0;
    for (const event of this.#queue) {
      length += estimateSize(event);
      recipients += event.ids?.length ?? 1;
      const previous = events.at(-1);
      if (previous !== undefined) {
        if (length > BATCH_LENGTH || recipients > BATCH_RECIPIENTS) break;
        if (event.seq !== previous.seq + 1) break;
      }
      if (events.push(event) === BATCH_EVENTS) break;
    }
    return events;
  }

  #remove(events: readonly NewEvent[]): void {
    // Republished events may have been inserted before them meanwhile.
    const at = this.#queue.indexOf(events[0]!);
    if (at < 0) return;
    this.#queue.splice(at, events.length);
    if (at < this.#deliveredLocally) {
      this.#deliveredLocally = Math.max(
        at,
        this.#deliveredLocally - events.length,
      );
    }
    for (const event of events) this.#length -= estimateSize(event);
  }

  /** Delivers the queued events to the streams of this node, in order. */
  #deliverLocally(): void {
    // Events that were appended but not received come first.
    if (!this.#isLocal) {
      this.recent.all().forEach((event) => this.#flushLocally(event));
    }
    this.#isLocal = true;
    while (this.#deliveredLocally < this.#queue.length) {
      this.#flushLocally(this.#queue[this.#deliveredLocally++]!);
    }
  }

  #flushLocally(event: NewEvent): void {
    if (!this.#listener.isDelivered(event)) this.#listener.deliver(event);
  }

  #limit(): void {
    if (this.#length <= MAX_QUEUED_LENGTH) return;
    const dropped = this.#queue.length;
    this.#queue = [];
    this.#deliveredLocally = 0;
    this.#length = 0;
    this.#redisNode.report(
      new ClusterError(
        `${dropped} events were dropped before other nodes had them, because ` +
          "Redis was unavailable for too long.",
      ),
    );
  }

  #settle(): void {
    const first = this.#redisNode.isRecovering || this.#redisNode.isClosed
      ? Infinity
      : this.#queue[0]?.seq ?? Infinity;
    while (this.#onFlushed.length > 0 && this.#onFlushed[0]!.count < first) {
      this.#onFlushed.shift()!.resolve();
    }
  }
}
