import type { EvictionReason, ResetReason } from "@crossmcp/session-manager";
import { assert } from "@std/assert";
import type { Client } from "./client.ts";
import { ModelLog, type ReplayLimits } from "./model_log.ts";
import { ModelReplacements } from "./model_replacements.ts";
import { ModelStream, type StreamLimits } from "./model_stream.ts";
import type { RecordedEvents } from "./event_recorder.ts";
import { resetCounts } from "../support/empty_stats.ts";

/** Options of the manager under test. */
export interface Limits extends StreamLimits {
  readonly maxSessions: number;
  readonly replay: ReplayLimits | false;
}

/** The intent of a client whose stream is prepared. */
export interface Intent {
  readonly lastEventId: string | undefined;
  readonly startEventId: string | undefined;
  readonly prime: boolean | "named";
  readonly persistent: boolean;
}

/** A stream manager without any optimization. */
export class Model {
  readonly attached: Map<string, ModelStream> = new Map();
  readonly #limits: Limits;
  readonly #log: ModelLog | undefined;
  readonly #replacements = new ModelReplacements();
  #pending: [id: string, expected: Intent][] = [];
  isClosed = false;
  /** The lower and upper bound of delivered texts. */
  delivered: [min: number, max: number] = [0, 0];
  readonly evicted = { bytes: 0, age: 0 };
  replayed = 0;
  readonly resets: Record<ResetReason, number> = { ...resetCounts() };

  constructor(limits: Limits, position: string | undefined) {
    this.#limits = limits;
    const { replay } = limits;
    if (replay) this.#log = new ModelLog(replay, position!);
  }

  /** Returns the ID of the newest event, or of a later one. */
  position(after = 0): string | undefined {
    const log = this.#log;
    if (this.isClosed || log === undefined) return undefined;
    return log.id(Number(log.position.split("-")[1]) + after);
  }

  has(id: string): boolean {
    return this.attached.has(id) && !this.#pending.some(([its]) => its === id);
  }

  /** Returns whether a session without a stream can be added. */
  hasCapacity(id: string): boolean {
    const expected = new Set(this.#pending.map(([its]) => its));
    if (expected.has(id)) return true;
    const places = new Set([...expected, ...this.attached.keys()]);
    return places.size < this.#limits.maxSessions;
  }

  /** Returns the name of the error, or a function that revokes the preparation. */
  prepare(id: string, intent: Intent): string | (() => void) {
    if (this.isClosed) return "ClosedError";
    const isNew = !this.attached.has(id);
    if (isNew && !this.hasCapacity(id)) return "SessionLimitError";
    const entry: [string, Intent] = [id, intent];
    this.#pending.push(entry);
    return () => {
      this.#pending = this.#pending.filter((other) => other !== entry);
    };
  }

  /** Returns the name of the error, if there is one. */
  create(
    id: string,
    client: Client,
    isShared: boolean,
    recorded: RecordedEvents,
    now: number,
  ): string | undefined {
    if (this.isClosed) return "ClosedError";
    const older = this.attached.get(id);
    if (older === undefined && !this.hasCapacity(id)) {
      return "SessionLimitError";
    }
    const latest = this.#pending.findLast(([its]) => its === id);
    const intent = latest?.[1];
    if (!intent?.persistent) {
      this.#pending = this.#pending.filter((other) => other !== latest);
    }
    const stream = new ModelStream(client, isShared, now);
    const { texts, reset, isContinued } = this.#start(id, intent, now);
    if (older !== undefined) {
      if (isContinued) older.takeQueued();
      else stream.inherit(older, now);
      // What its reader has not read by now is lost.
      older.fate = "aborted";
    }
    const mustReport = older !== undefined && this.#replacements.add(id, now);
    assert(
      recorded.replaced.has(id) === mustReport,
      `Reported: ${!mustReport}.`,
    );
    for (const text of this.#replacements.start(id, now)) {
      stream.write(text, now);
    }
    for (const text of texts) stream.write(text, now);
    this.attached.set(id, stream);
    if (reset !== undefined) this.resets[reset]++;
    const [first] = recorded.resets;
    assert(
      recorded.resets.length === (reset ? 1 : 0) && first?.[1] === reset,
      `Expected the reset "${reset}", but got "${recorded.resets}".`,
    );
    return undefined;
  }

  send(
    to: readonly string[] | undefined,
    texts: readonly string[],
    recorded: RecordedEvents,
    now: number,
  ): void {
    this.#assertKnown(recorded);
    if (texts.join("") === "" || to?.length === 0) return;
    const log = this.isClosed ? undefined : this.#log;
    const given = log === undefined
      ? [texts.join("")]
      : texts.map((text) => log.append(to, text, now));
    for (const id of new Set(to ?? this.attached.keys())) {
      const stream = this.attached.get(id);
      if (stream === undefined) continue;
      const reason = recorded.evicted.get(id);
      const wasLost = recorded.failed.has(id)
        ? "failed"
        : reason && "evicted" as const;
      const [min, max] = stream.take(given, wasLost, this.#limits, now);
      this.delivered[0] += min;
      this.delivered[1] += max;
      if (wasLost) this.#lost(id, reason);
    }
  }

  endTurn(recorded: RecordedEvents, now: number): void {
    this.#assertKnown(recorded);
    assert(
      recorded.evicted.size === 0,
      "A stream was evicted at the end of a turn.",
    );
    for (const [id, stream] of this.attached) {
      const hasFailed = recorded.failed.has(id);
      const isLost = stream.isBroken && stream.queued > 0;
      assert(hasFailed === isLost, `"${id}" failed: ${hasFailed}.`);
      stream.flush(now);
      stream.settle();
      if (!hasFailed) continue;
      stream.fate = "aborted";
      this.#lost(id, undefined);
    }
  }

  age(recorded: RecordedEvents, now: number): void {
    this.#assertKnown(recorded);
    for (const [id, stream] of this.attached) {
      const reason = recorded.evicted.get(id);
      // An ended stream is not noticed otherwise.
      const hasFailed = stream.isBroken && recorded.failed.has(id);
      if (!hasFailed) {
        stream.age(reason !== undefined, this.#limits, now);
      } else stream.fate = "aborted";
      if (reason ?? hasFailed) this.#lost(id, reason);
    }
  }

  /** Ends the stream of a session; queued data can still be read. */
  delete(id: string, now: number): void {
    const stream = this.attached.get(id);
    if (stream === undefined) return;
    stream.flush(now);
    stream.fate = stream.isBroken ? "aborted" : "ended";
    this.attached.delete(id);
  }

  close(now: number): void {
    this.isClosed = true;
    for (const id of [...this.attached.keys()]) this.delete(id, now);
  }

  #start(id: string, intent: Intent | undefined, now: number) {
    const log = this.#log;
    if (log === undefined || intent === undefined) return { texts: [] };
    const { lastEventId, startEventId, prime } = intent;
    const { position } = log;
    const name = prime === "named" ? "event: position\n" : "";
    const primed = (id: string) =>
      prime ? [`${name}id: ${id}\ndata: \n\n`] : [];
    if (lastEventId === undefined) return { texts: primed(position) };
    const missed = log.missed(id, lastEventId, startEventId, now);
    if (typeof missed !== "string") {
      this.replayed += missed.length;
      return { texts: [...primed(lastEventId), ...missed], isContinued: true };
    }
    const data = `{"reason":"${missed}"}`;
    return {
      texts: [`event: reset\nid: ${position}\ndata: ${data}\n\n`],
      reset: missed,
      // What the older stream still holds comes after a gap.
      isContinued: true,
    };
  }

  /** Callbacks are only called for attached streams. */
  #assertKnown({ evicted, failed }: RecordedEvents): void {
    for (const id of [...evicted.keys(), ...failed]) {
      assert(
        this.attached.has(id),
        `"${id}" was reported, but is not attached.`,
      );
    }
  }

  #lost(id: string, reason: EvictionReason | undefined): void {
    this.attached.delete(id);
    if (reason !== undefined) this.evicted[reason]++;
  }
}
