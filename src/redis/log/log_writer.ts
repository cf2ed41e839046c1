import { ClusterError } from "../../errors.ts";
import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import type { ReplaySettings } from "../../contracts/resolve_options.ts";
import { newEpoch, type RedisNode } from "../redis_node.ts";
import { APPEND, LOG_TTL_MS } from "./log_scripts.ts";
import {
  chunkRecipients,
  encodeArguments,
  estimateSize,
  type NewEvent,
  newEvent,
} from "./log_codec.ts";
import { isTransientError } from "../connection/redis_errors.ts";
import { RecentAppends } from "./recent_appends.ts";
import { Condition } from "../connection/condition.ts";

/** Longest command of several events, in characters; how many, and for how many. */
const BATCH_LENGTH = 1_048_576;
const BATCH_EVENTS = 500;
const BATCH_RECIPIENTS = 1_000;
/** How much waits for a server that is out of reach, in characters. */
const MAX_QUEUED_LENGTH = 67_108_864;
/** After how long an event that was added should have come back, in milliseconds. */
const READ_BACK_MS = 200;

/** What a {@linkcode LogWriter} asks and tells. */
export interface LogWriterListener {
  /** Whether an event of this node came back, or is none of its sessions'. */
  readonly isDelivered: (event: NewEvent) => boolean;
  /** Delivers an event here that cannot be added now. */
  readonly deliver: (event: NewEvent) => void;
  /** Told that an event was added and did not come back. */
  readonly onLate: () => void;
  /** The log to add to; `undefined` while it is unknown. */
  readonly epoch: () => string | undefined;
}

/**
 * Adds what this node sends to the log, one command after the other: each takes
 * what came meanwhile. What cannot be added now is delivered here, and added when
 * the server is back.
 */
export class LogWriter {
  readonly #redisNode: RedisNode;
  readonly #limits: readonly string[];
  readonly #ttlMs: number;
  readonly #listener: LogWriterListener;
  #queue: NewEvent[] = [];
  /** How many of those were delivered here. */
  #deliveredLocally = 0;
  #length = 0;
  #seq = 0;
  /** The newest event that comes back. */
  #last: NewEvent | undefined;
  readonly #recent: RecentAppends;
  /** Whether what was added before is delivered here. */
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
    backend: RedisNode,
    { maxAgeMs }: ReplaySettings,
    limits: readonly string[],
    listener: LogWriterListener,
  ) {
    this.#redisNode = backend;
    this.#limits = limits;
    this.#ttlMs = Math.max(LOG_TTL_MS, Math.min(maxAgeMs * 2, 5_184_000_000));
    this.#listener = listener;
    this.#recent = new RecentAppends(backend.periodMs);
  }

  /** Adds an event with the others of this turn. */
  add(audience: readonly string[] | undefined, frame: string): void {
    if (audience === undefined) return this.#add(undefined, frame);
    // A long list takes the server so long that others would miss it.
    for (const ids of chunkRecipients(audience, BATCH_RECIPIENTS)) {
      this.#add(ids, frame);
    }
  }

  /** Resolves when what was added before is in the log, or cannot be now. */
  async flushed(): Promise<void> {
    const last = this.#queue.at(-1)?.seq;
    if (last === undefined || this.#redisNode.isRecovering) return;
    const flushed = new Promise<void>((resolve) =>
      this.#onFlushed.push({ count: last, resolve })
    );
    this.flush();
    await flushed;
  }

  /** Resolves when what was added before was delivered here, or cannot be. */
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

  /** Something was delivered here. */
  onReceived(): void {
    this.#receivedSeq.notifyAll();
  }

  /** Adds again what others may not have heard before the server lost it. */
  republish(): void {
    const again = this.#recent.take();
    this.#queue = [...again, ...this.#queue];
    this.#deliveredLocally += again.length;
    this.#length += again.reduce(
      (length, event) => length + estimateSize(event),
      0,
    );
  }

  /** Adds what waits. */
  flush(): void {
    if (!this.#isWriting) void this.#write();
  }

  /** Adds nothing any more. */
  close(): void {
    clearTimeout(this.#echo);
    this.#queue = [];
    this.onReceived();
    this.#settle();
  }

  #add(ids: readonly string[] | undefined, frame: string): void {
    const event = newEvent(++this.#seq, ids, frame);
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
        // The log is another one: it will be known soon.
        if (!isAdded) break;
      } catch (error) {
        if (isTransientError(error)) break;
        // It is refused, and would be again.
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
        this.#listener.epoch() ?? "",
        ...events.flatMap(encodeArguments),
      ],
    );
    if (added === "lost") {
      await this.#redisNode.refreshLogState();
      return false;
    }
    this.#isLocal = false;
    this.#remove(events);
    this.#recent.add(events);
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

  /** Events in a row, as many as one command takes. */
  #batch(): NewEvent[] {
    const events: NewEvent[] = [];
    let length = 0;
    let targets = 0;
    for (const event of this.#queue) {
      length += estimateSize(event);
      targets += event.ids?.length ?? 1;
      const previous = events.at(-1);
      if (previous !== undefined) {
        if (length > BATCH_LENGTH || targets > BATCH_RECIPIENTS) break;
        if (event.seq !== previous.seq + 1) break;
      }
      if (events.push(event) === BATCH_EVENTS) break;
    }
    return events;
  }

  #remove(events: readonly NewEvent[]): void {
    // Others may have come before them meanwhile.
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

  /** Delivers what waits to the streams of this node, in its order. */
  #deliverLocally(): void {
    // What was added, and did not come back, is before that.
    if (!this.#isLocal) {
      this.#recent.all().forEach((event) => this.#flushLocally(event));
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
        `${dropped} events were dropped before other nodes had them: Redis was ` +
          "out of reach for too long.",
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
