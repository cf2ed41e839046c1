import { ClusterError } from "../../errors.ts";
import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import type { ReplaySettings } from "../../contracts/resolve_options.ts";
import { type Backend, newEpoch } from "../redis_node.ts";
import { APPEND, LOG_TTL_MS } from "./log_scripts.ts";
import {
  argumentsOf,
  type NewEvent,
  newEvent,
  sizeOf,
  targetsOf,
} from "./log_codec.ts";
import { isOutage } from "../connection/redis_errors.ts";
import { RecentEvents } from "./recent_appends.ts";
import { Signal } from "../connection/condition.ts";

/** Longest command of several events, in characters; how many, and for how many. */
const BATCH_LENGTH = 1_048_576;
const BATCH_EVENTS = 500;
const BATCH_TARGETS = 1_000;
/** How much waits for a server that is out of reach, in characters. */
const MAX_WAITING = 67_108_864;
/** After how long an event that was added should have come back, in milliseconds. */
const ECHO_MS = 200;

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
  readonly #backend: Backend;
  readonly #limits: readonly string[];
  readonly #ttlMs: number;
  readonly #listener: LogWriterListener;
  #waiting: NewEvent[] = [];
  /** How many of those were delivered here. */
  #deliveredHere = 0;
  #length = 0;
  #count = 0;
  /** The newest event that comes back. */
  #last: NewEvent | undefined;
  readonly #recent: RecentEvents;
  /** Whether what was added before is delivered here. */
  #isHere = false;
  #isScheduled = false;
  #isWriting = false;
  readonly #onFlushed: {
    readonly count: number;
    readonly resolve: () => void;
  }[] = [];
  readonly #heard = new Signal();
  #echo: ReturnType<typeof setTimeout> | undefined;

  constructor(
    backend: Backend,
    { maxAgeMs }: ReplaySettings,
    limits: readonly string[],
    listener: LogWriterListener,
  ) {
    this.#backend = backend;
    this.#limits = limits;
    this.#ttlMs = Math.max(LOG_TTL_MS, Math.min(maxAgeMs * 2, 5_184_000_000));
    this.#listener = listener;
    this.#recent = new RecentEvents(backend.periodMs);
  }

  /** Adds an event with the others of this turn. */
  add(audience: readonly string[] | undefined, frame: string): void {
    if (audience === undefined) return this.#add(undefined, frame);
    // A long list takes the server so long that others would miss it.
    for (const ids of targetsOf(audience, BATCH_TARGETS)) this.#add(ids, frame);
  }

  /** Resolves when what was added before is in the log, or cannot be now. */
  async flushed(): Promise<void> {
    const last = this.#waiting.at(-1)?.number;
    if (last === undefined || this.#backend.isWaiting) return;
    const flushed = new Promise<void>((resolve) =>
      this.#onFlushed.push({ count: last, resolve })
    );
    this.flush();
    await flushed;
  }

  /** Resolves when what was added before was delivered here, or cannot be. */
  async echoed(): Promise<void> {
    const last = this.#last;
    await this.flushed();
    while (
      last !== undefined && !this.#listener.isDelivered(last) &&
      !this.#backend.isWaiting && !this.#backend.isClosed
    ) {
      await this.#heard.next();
    }
  }

  /** Something was delivered here. */
  heard(): void {
    this.#heard.fire();
  }

  /** Adds again what others may not have heard before the server lost it. */
  repeat(): void {
    const again = this.#recent.take();
    this.#waiting = [...again, ...this.#waiting];
    this.#deliveredHere += again.length;
    this.#length += again.reduce((length, event) => length + sizeOf(event), 0);
  }

  /** Adds what waits. */
  flush(): void {
    if (!this.#isWriting) void this.#write();
  }

  /** Adds nothing any more. */
  close(): void {
    clearTimeout(this.#echo);
    this.#waiting = [];
    this.heard();
    this.#settle();
  }

  #add(ids: readonly string[] | undefined, frame: string): void {
    const event = newEvent(++this.#count, ids, frame);
    this.#waiting.push(event);
    this.#length += sizeOf(event);
    this.#last = event;
    if (this.#backend.isWaiting) {
      this.#deliverHere();
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
    while (this.#waiting.length > 0 && !this.#backend.isWaiting) {
      const events = this.#batch();
      try {
        const isAdded = await this.#append(events);
        // The log is another one: it will be known soon.
        if (!isAdded) break;
      } catch (error) {
        if (isOutage(error)) break;
        // It is refused, and would be again.
        this.#backend.connection.report(error);
        for (const event of events) this.#give(event);
        this.#remove(events);
      }
      this.#settle();
    }
    this.#isWriting = false;
    if (this.#backend.isWaiting) this.#deliverHere();
    this.#settle();
  }

  async #append(events: readonly NewEvent[]): Promise<boolean> {
    const { connection, keys, home } = this.#backend;
    const added = await connection.evaluate(
      APPEND,
      keys.log,
      [
        keys.all,
        home,
        String(events[0]!.number),
        ...this.#limits,
        newEpoch(),
        keys.toAll,
        keys.toNodes,
        String(this.#ttlMs),
        this.#listener.epoch() ?? "",
        ...events.flatMap(argumentsOf),
      ],
    );
    if (added === "lost") {
      await this.#backend.look();
      return false;
    }
    this.#isHere = false;
    this.#remove(events);
    this.#recent.add(events);
    if (this.#areHeard(events)) return true;
    this.#echo ??= setTimeout(() => {
      this.#echo = undefined;
      if (!this.#areHeard(events)) this.#listener.onLate();
    }, ECHO_MS);
    return true;
  }

  #areHeard(events: readonly NewEvent[]): boolean {
    return events.every((event) => this.#listener.isDelivered(event));
  }

  /** Events in a row, as many as one command takes. */
  #batch(): NewEvent[] {
    const events: NewEvent[] = [];
    let length = 0;
    let targets = 0;
    for (const event of this.#waiting) {
      length += sizeOf(event);
      targets += event.ids?.length ?? 1;
      const previous = events.at(-1);
      if (previous !== undefined) {
        if (length > BATCH_LENGTH || targets > BATCH_TARGETS) break;
        if (event.number !== previous.number + 1) break;
      }
      if (events.push(event) === BATCH_EVENTS) break;
    }
    return events;
  }

  #remove(events: readonly NewEvent[]): void {
    // Others may have come before them meanwhile.
    const at = this.#waiting.indexOf(events[0]!);
    if (at < 0) return;
    this.#waiting.splice(at, events.length);
    if (at < this.#deliveredHere) {
      this.#deliveredHere = Math.max(at, this.#deliveredHere - events.length);
    }
    for (const event of events) this.#length -= sizeOf(event);
  }

  /** Delivers what waits to the streams of this node, in its order. */
  #deliverHere(): void {
    // What was added, and did not come back, is before that.
    if (!this.#isHere) this.#recent.all().forEach((event) => this.#give(event));
    this.#isHere = true;
    while (this.#deliveredHere < this.#waiting.length) {
      this.#give(this.#waiting[this.#deliveredHere++]!);
    }
  }

  #give(event: NewEvent): void {
    if (!this.#listener.isDelivered(event)) this.#listener.deliver(event);
  }

  #limit(): void {
    if (this.#length <= MAX_WAITING) return;
    const dropped = this.#waiting.length;
    this.#waiting = [];
    this.#deliveredHere = 0;
    this.#length = 0;
    this.#backend.report(
      new ClusterError(
        `${dropped} events were dropped before other nodes had them: Redis was ` +
          "out of reach for too long.",
      ),
    );
  }

  #settle(): void {
    const first = this.#backend.isWaiting || this.#backend.isClosed
      ? Infinity
      : this.#waiting[0]?.number ?? Infinity;
    while (this.#onFlushed.length > 0 && this.#onFlushed[0]!.count < first) {
      this.#onFlushed.shift()!.resolve();
    }
  }
}
