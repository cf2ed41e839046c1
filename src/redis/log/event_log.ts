import type {
  Audience,
  EventLog,
  Missed,
} from "../../cluster/delivery/event_log.ts";
import { ClusterError } from "../../errors.ts";
import { atTheLatest } from "../../runtime/deadline.ts";
import type { ResetReason } from "../../contracts/options.ts";
import type { ReplaySettings } from "../../contracts/resolve_options.ts";
import { withSseId } from "../../protocol/sse.ts";
import type { Backend, Part, State } from "../redis_node.ts";
import { Heard } from "./delivered_events.ts";
import { LogWriter } from "./log_writer.ts";
import { AFTER, MISSED } from "./log_scripts.ts";
import {
  placeOf,
  type PublishedEvent,
  readEvents,
  readKept,
} from "./log_codec.ts";
import { Signal } from "../connection/condition.ts";

type Deliver = (audience: Audience, frame: string, offset: number) => void;

/** How long to wait for what was published before it is looked for, in milliseconds. */
const LATE_MS = 50;
/** How many messages wait for others, before those are read. */
const MAX_HELD = 10_000;

/**
 * Events in Redis, in one order for all nodes. What is added is published to the
 * nodes in the same go; what a node did not hear, it reads.
 */
export class RedisEventLog implements EventLog, Part {
  readonly #backend: Backend;
  readonly #isHere: (id: string) => boolean;
  readonly #limits: string[];
  readonly #writer: LogWriter;
  #deliver: Deliver = () => {};
  #epoch: string | undefined;
  /** The newest event for everyone that was delivered here. */
  #all = 0;
  /** The newest one for this node alone. */
  #own = 0;
  /** Up to here nothing is missing. */
  #verified = 0;
  readonly #heard: Heard;
  /** Up to where sessions that came here have got what was before. */
  readonly #floors: Map<string, number> = new Map();
  #held: string[] = [];
  #catching: Promise<void> | undefined;
  readonly #delivered = new Signal();

  /**
   * @param backend The server, and the channels of this node.
   * @param settings How much is kept.
   * @param isHere Whether this node is the home of a session.
   */
  constructor(
    backend: Backend,
    settings: ReplaySettings,
    isHere: (id: string) => boolean,
  ) {
    this.#backend = backend;
    this.#isHere = isHere;
    this.#limits = limitsOf(settings);
    this.#heard = new Heard(backend.home);
    this.#writer = new LogWriter(backend, settings, this.#limits, {
      isDelivered: ({ ids, number }) =>
        this.#heard.hasOwn(ids === undefined, number) ||
        ids?.some(isHere) === false,
      deliver: ({ ids, frame, number }) => {
        this.#heard.here(number);
        this.#deliver(ids, frame, Number.MAX_SAFE_INTEGER);
      },
      onLate: () => void this.#catchUp(),
      epoch: () => this.#epoch,
    });
    backend.add(this);
    backend.bus.onEvents((text) => this.#take(text));
  }

  get position(): string | undefined {
    return this.#epoch && `${this.#epoch}-${this.newest}`;
  }

  /** The newest event that was delivered here. */
  get newest(): number {
    return Math.max(this.#all, this.#own);
  }

  start(deliver: Deliver): void {
    this.#deliver = deliver;
  }

  append(audience: Audience, frames: readonly string[]): void {
    for (const frame of frames) this.#writer.add(audience, frame);
  }

  /** Resolves when what was added before is in the log, or cannot be. */
  flushed(): Promise<void> {
    return this.#writer.flushed();
  }

  async settled(): Promise<void> {
    const { answerMs } = this.#backend.node;
    await atTheLatest(this.#writer.echoed(), answerMs);
  }

  async missed(
    id: string,
    lastEventId: string | undefined,
    since: string | undefined,
  ): Promise<Missed | ResetReason> {
    const place = placeOf(lastEventId);
    const start = placeOf(since);
    const { keys, connection, nodeKey } = this.#backend;
    try {
      const [epoch, upTo, reset, missed, newest] = await connection.evaluate(
        MISSED,
        keys.log,
        [
          keys.all,
          id,
          nodeKey,
          ...this.#limits,
          place?.offset ?? "",
          place?.epoch ?? "",
          start?.epoch === place?.epoch ? start?.offset ?? "0" : "0",
        ],
      ) as [string, string, ResetReason | "", string[], string];
      this.#floors.set(id, Number(newest));
      await this.#reach(epoch, Number(upTo));
      if (lastEventId !== undefined && place === undefined) return "unknown";
      if (reset !== "") return reset;
      const frames: string[] = [];
      for (let at = 0; at < missed.length; at += 2) {
        const frame = JSON.parse(missed[at + 1]!) as string;
        frames.push(withSseId(frame, `${epoch}-${missed[at]}`));
      }
      const position = epoch === "" ? "" : `${epoch}-${newest}`;
      return { frames, upTo: Number(newest), position };
    } catch (error) {
      connection.report(error);
      // Nothing can be said of what it has missed.
      if (lastEventId !== undefined) return "unknown";
      return { frames: [], upTo: 0, position: this.position ?? "" };
    }
  }

  looked({ epoch, last, all, own }: State): void {
    if (this.#epoch === undefined) {
      // What was before is not for this node.
      this.#epoch = epoch;
      this.#all = all;
      this.#own = own;
      this.#verified = last;
      return this.#takeHeld();
    }
    if (epoch !== this.#epoch) {
      // Redis has lost the log: all of the new one is for this node.
      this.#epoch = epoch;
      this.#all = this.#own = this.#verified = 0;
      this.#floors.clear();
      return void this.#catchUp();
    }
    if (all > this.#all || own > this.#own) return void this.#catchUp();
    this.#verify(last);
  }

  back(isEmpty: boolean): void {
    if (isEmpty) this.#writer.repeat();
    this.#writer.flush();
    void this.#catchUp();
  }

  restored(): void {
    this.#writer.flush();
  }

  resubscribed(): void {
    void this.#catchUp();
  }

  close(): void {
    this.#writer.close();
    this.#held = [];
    this.#delivered.fire();
  }

  #take(text: string): void {
    if (this.#epoch === undefined || this.#catching !== undefined) {
      return this.#hold(text);
    }
    const message = readEvents(text);
    if (message === undefined) return this.#backend.node.ignore();
    const { epoch, sender, before, events, home } = message;
    // It was for an earlier node of this name.
    if (home !== undefined && home !== this.#backend.home) return;
    const isToAll = home === undefined;
    if (epoch !== this.#epoch) {
      this.#hold(text);
      return void this.#backend.look();
    }
    if (before > (isToAll ? this.#all : this.#own)) {
      this.#hold(text);
      return void this.#catchUp();
    }
    for (const event of events) this.#hear(event, sender);
    this.#settle();
  }

  /** Delivers an event, if it is new here. */
  #hear(event: PublishedEvent, sender: string): void {
    const { offset, number, isRepeated, frame, ids } = event;
    const isToAll = ids === undefined;
    if (offset <= (isToAll ? this.#all : this.#own)) return;
    if (isToAll) this.#all = offset;
    else this.#own = offset;
    if (this.#heard.isOld(sender, isToAll, number, isRepeated)) return;
    this.#deliver(ids, withSseId(frame, `${this.#epoch}-${offset}`), offset);
  }

  #hold(text: string): void {
    this.#held.push(text);
    // Those that are dropped are read.
    if (this.#held.length > MAX_HELD) this.#held.shift();
  }

  #takeHeld(): void {
    const held = this.#held;
    this.#held = [];
    for (const text of held) this.#take(text);
  }

  /** Reads what was published and did not come. */
  #catchUp(): Promise<void> {
    if (this.#epoch === undefined) return Promise.resolve();
    return this.#catching ??= this.#read().then(() => {
      this.#catching = undefined;
      this.#takeHeld();
    }, (error) => {
      // What is held is read when the server is back.
      this.#catching = undefined;
      this.#held = [];
      this.#backend.connection.report(error);
    }).finally(() => this.#settle());
  }

  async #read(): Promise<void> {
    const { connection, keys, nodeKey } = this.#backend;
    let start = Math.max(Math.min(this.#all, this.#own), this.#verified);
    for (;;) {
      const [epoch, all, own, events, gone] = await connection.evaluate(
        AFTER,
        keys.log,
        [keys.events, nodeKey, String(start)],
      ) as [string, string, string, string[], string];
      if (epoch !== this.#epoch) return void this.#backend.look();
      if (Number(gone) > this.#all && this.#all > 0) this.#lose();
      for (let at = 0; at < events.length; at += 4) {
        const { sender, ...event } = readKept(events.slice(at, at + 4));
        start = event.offset;
        const { ids } = event;
        if (ids === undefined) {
          this.#hear(event, sender);
          continue;
        }
        const here = ids.filter((id) =>
          this.#isHere(id) && start > (this.#floors.get(id) ?? 0)
        );
        if (here.length > 0) this.#hear({ ...event, ids: here }, sender);
      }
      if (events.length > 0) continue;
      this.#all = Math.max(this.#all, Number(all));
      this.#own = Math.max(this.#own, Number(own));
      this.#verify(Math.max(this.#verified, start));
      return;
    }
  }

  #lose(): void {
    this.#backend.report(
      new ClusterError(
        "Events for everyone were dropped before this node had read them: it was " +
          "cut off for too long, or the limits of replay are too low.",
      ),
    );
  }

  #verify(offset: number): void {
    this.#verified = offset;
    for (const [id, floor] of this.#floors) {
      if (floor <= offset) this.#floors.delete(id);
    }
  }

  /** Resolves when what there is was delivered, or takes too long. */
  async #reach(epoch: string, upTo: number): Promise<void> {
    const { answerMs } = this.#backend.node;
    const deadline = Date.now() + answerMs;
    const isOver = () =>
      epoch !== this.#epoch || this.newest >= upTo || Date.now() > deadline;
    while (!isOver()) {
      const { newest } = this;
      await atTheLatest(this.#delivered.next(), LATE_MS);
      if (this.newest === newest) await this.#catchUp();
    }
  }

  #settle(): void {
    this.#writer.heard();
    this.#delivered.fire();
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
