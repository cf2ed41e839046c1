import { ClusterError } from "../errors.ts";
import { atEndOfTurn } from "../in_memory/turn.ts";
import type { ReplaySettings } from "../resolve_options.ts";
import { type Backend, newEpoch } from "./backend.ts";
import { APPEND, LOG_TTL_MS } from "./log_scripts.ts";
import { argumentsOf, type NewEvent, newEvent, sizeOf } from "./log_text.ts";
import { isOutage } from "./outage.ts";

/** Longest command of several events, in characters, and how many these may be. */
const BATCH_LENGTH = 1_048_576;
const BATCH_EVENTS = 1_000;
/** How much waits for a server that is out of reach, in characters. */
const MAX_WAITING = 67_108_864;
/** How much is remembered of what was added, in characters, and for how many beats. */
const MAX_RECENT = 16_777_216;
const RECENT_BEATS = 20;
/** After how long an event that was added should have come back, in milliseconds. */
const ECHO_MS = 200;

/** What a {@linkcode LogWriter} asks and tells. */
export interface LogWriterListener {
  /** Whether an event of this node was delivered here. */
  readonly isDelivered: (number: number) => boolean;
  /** Delivers an event here that cannot be added now. */
  readonly deliver: (event: NewEvent) => void;
  /** Told that an event was added and did not come back. */
  readonly onLate: () => void;
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
  /** What was added a short while ago, and may be lost with the server. */
  #recent: { readonly events: readonly NewEvent[]; readonly at: number }[] = [];
  #recentLength = 0;
  #length = 0;
  #count = 0;
  #isScheduled = false;
  #isWriting = false;
  /** The newest event for everyone. */
  #lastToAll = 0;
  #onFlushed: (() => void)[] = [];
  #onHeard: (() => void)[] = [];
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
  }

  /** Adds an event with the others of this turn. */
  add(audience: readonly string[] | undefined, frame: string): void {
    const event = newEvent(this.#count + 1, audience, frame);
    if (event.ids?.length === 0) return;
    this.#count++;
    if (event.ids === undefined) this.#lastToAll = this.#count;
    this.#waiting.push(event);
    this.#length += sizeOf(event);
    if (this.#backend.isWaiting) {
      this.#listener.deliver(event);
      this.#limit();
    } else this.#schedule();
  }

  /** Resolves when all is added that can be now. */
  async flushed(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const flushed = new Promise<void>((resolve) =>
      this.#onFlushed.push(resolve)
    );
    this.flush();
    await flushed;
  }

  /** Resolves when what was added before was delivered here, or cannot be. */
  async echoed(): Promise<void> {
    await this.flushed();
    if (this.#lastToAll === 0) return;
    const last = this.#lastToAll;
    const { isDelivered } = this.#listener;
    while (!isDelivered(last) && !this.#backend.isWaiting) {
      await new Promise<void>((resolve) => this.#onHeard.push(resolve));
    }
  }

  /** Something was delivered here. */
  heard(): void {
    for (const resolve of this.#onHeard.splice(0)) resolve();
  }

  /** Adds again what others may not have heard before the server lost it. */
  repeat(): void {
    const again = this.#recent.flatMap(({ events }) =>
      events.map((event) => ({ ...event, isRepeated: true }))
    );
    this.#waiting = [...again, ...this.#waiting];
    this.#length += lengthOf(again);
    this.#recent = [];
    this.#recentLength = 0;
  }

  /** Adds what waits. */
  flush(): void {
    if (!this.#isWriting) void this.#write();
  }

  /** Adds nothing any more. */
  close(): void {
    clearTimeout(this.#echo);
    this.heard();
    this.#settle();
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
        await this.#append(events);
      } catch (error) {
        if (isOutage(error)) break;
        // It is refused, and would be again.
        this.#backend.connection.report(error);
        this.#remove(events.length);
        this.#deliver(events);
      }
    }
    this.#isWriting = false;
    if (this.#backend.isWaiting) this.#deliver(this.#waiting);
    this.#settle();
  }

  async #append(events: readonly NewEvent[]): Promise<void> {
    const { connection, keys, home } = this.#backend;
    await connection.evaluate(
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
        ...events.flatMap(argumentsOf),
      ],
    );
    this.#remove(events.length);
    this.#remember(events);
    if (this.#isHeard(events)) return;
    this.#echo ??= setTimeout(() => {
      this.#echo = undefined;
      if (!this.#isHeard(events)) this.#listener.onLate();
    }, ECHO_MS);
  }

  #remember(events: readonly NewEvent[]): void {
    const at = Date.now();
    this.#recent.push({ events, at });
    this.#recentLength += lengthOf(events);
    const recentMs = RECENT_BEATS * this.#backend.periodMs;
    while (
      this.#recentLength > MAX_RECENT || this.#recent[0]!.at < at - recentMs
    ) {
      this.#recentLength -= lengthOf(this.#recent.shift()!.events);
    }
  }

  #isHeard(events: readonly NewEvent[]): boolean {
    const last = events.findLast(({ ids }) => ids === undefined);
    return last === undefined || this.#listener.isDelivered(last.number);
  }

  #batch(): NewEvent[] {
    const events: NewEvent[] = [];
    let length = 0;
    for (const event of this.#waiting) {
      length += sizeOf(event);
      if (events.length > 0 && length > BATCH_LENGTH) break;
      if (events.push(event) === BATCH_EVENTS) break;
    }
    return events;
  }

  #remove(count: number): void {
    for (const event of this.#waiting.splice(0, count)) {
      this.#length -= sizeOf(event);
    }
  }

  #deliver(events: readonly NewEvent[]): void {
    for (const event of events) {
      if (!this.#listener.isDelivered(event.number)) {
        this.#listener.deliver(event);
      }
    }
  }

  #limit(): void {
    if (this.#length <= MAX_WAITING) return;
    const dropped = this.#waiting.length;
    this.#waiting = [];
    this.#length = 0;
    this.#backend.report(
      new ClusterError(
        `${dropped} events were dropped before other nodes had them: Redis was ` +
          "out of reach for too long.",
      ),
    );
  }

  #settle(): void {
    for (const resolve of this.#onFlushed.splice(0)) resolve();
  }
}

function lengthOf(events: readonly NewEvent[]): number {
  return events.reduce((length, event) => length + sizeOf(event), 0);
}
