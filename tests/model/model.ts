import type { EvictionReason } from "@crossmcp/session-manager";
import { assert } from "@std/assert";
import type { Client } from "./client.ts";
import { ModelLog, type ReplayLimits } from "./model_log.ts";
import { ModelStream, type StreamLimits } from "./model_stream.ts";
import type { Told } from "./told.ts";

/** Options of the manager that the model stands beside. */
export interface Limits extends StreamLimits {
  readonly maxSessions: number;
  readonly replay: ReplayLimits | false;
}

/** What a client that is expected said. */
export interface Expected {
  readonly lastEventId: string | undefined;
  readonly startEventId: string | undefined;
  readonly prime: boolean | "named";
  readonly persistent: boolean;
}

/** What a manager of streams does, without any of what makes it quick. */
export class Model {
  readonly attached: Map<string, ModelStream> = new Map();
  readonly #limits: Limits;
  readonly #log: ModelLog | undefined;
  #expected: [id: string, expected: Expected][] = [];
  isClosed = false;
  /** Texts that were delivered, at least and at most. */
  delivered: [least: number, most: number] = [0, 0];
  readonly evicted = { bytes: 0, age: 0 };
  replayed = 0;
  resets = 0;

  constructor(limits: Limits, position: string | undefined) {
    this.#limits = limits;
    const { replay } = limits;
    if (replay) this.#log = new ModelLog(replay, position!);
  }

  /** The id of the newest event, or of the one that many after it. */
  position(after = 0): string | undefined {
    const log = this.#log;
    if (this.isClosed || log === undefined) return undefined;
    return log.id(Number(log.position.split("-")[1]) + after);
  }

  has(id: string): boolean {
    return this.attached.has(id) && !this.#expected.some(([its]) => its === id);
  }

  /** Whether there is a place for a session without a stream. */
  hasRoom(id: string): boolean {
    const expected = new Set(this.#expected.map(([its]) => its));
    if (expected.has(id)) return true;
    const places = new Set([...expected, ...this.attached.keys()]);
    return places.size < this.#limits.maxSessions;
  }

  /** Why `expect` is refused, if it is. */
  expect(id: string, said: Expected): string | (() => void) {
    if (this.isClosed) return "ClosedError";
    const isNew = !this.attached.has(id);
    if (isNew && !this.hasRoom(id)) return "SessionLimitError";
    const entry: [string, Expected] = [id, said];
    this.#expected.push(entry);
    return () => {
      this.#expected = this.#expected.filter((other) => other !== entry);
    };
  }

  /** Why `create` is refused, or what it tells. */
  create(
    id: string,
    client: Client,
    isVague: boolean,
    told: Told,
    now: number,
  ): string | undefined {
    if (this.isClosed) return "ClosedError";
    const older = this.attached.get(id);
    if (older === undefined && !this.hasRoom(id)) return "SessionLimitError";
    const latest = this.#expected.findLast(([its]) => its === id);
    const said = latest?.[1];
    if (!said?.persistent) {
      this.#expected = this.#expected.filter((other) => other !== latest);
    }
    const stream = new ModelStream(client, isVague, now);
    const { texts, reset, isContinued } = this.#opening(id, said, now);
    if (older !== undefined) {
      if (isContinued) older.giveWaiting();
      else stream.inherit(older, now);
      // What its reader has not read by now is lost, if there is anything.
      older.fate = "broken off";
    }
    for (const text of texts) stream.write(text, now);
    this.attached.set(id, stream);
    if (reset !== undefined) this.resets++;
    const [first] = told.resets;
    assert(
      told.resets.length === (reset ? 1 : 0) && first?.[1] === reset,
      `A reset was to be told as "${reset}", and was as "${told.resets}".`,
    );
    return undefined;
  }

  send(
    to: readonly string[] | undefined,
    texts: readonly string[],
    told: Told,
    now: number,
  ): void {
    this.#assertKnown(told);
    if (texts.join("") === "" || to?.length === 0) return;
    const log = this.isClosed ? undefined : this.#log;
    const given = log === undefined
      ? [texts.join("")]
      : texts.map((text) => log.append(to, text, now));
    for (const id of new Set(to ?? this.attached.keys())) {
      const stream = this.attached.get(id);
      if (stream === undefined) continue;
      const reason = told.evicted.get(id);
      const wasLost = told.failed.has(id)
        ? "failed"
        : reason && "evicted" as const;
      const [least, most] = stream.take(given, wasLost, this.#limits, now);
      this.delivered[0] += least;
      this.delivered[1] += most;
      if (wasLost) this.#lost(id, reason);
    }
  }

  endTurn(told: Told, now: number): void {
    this.#assertKnown(told);
    assert(told.evicted.size === 0, "Evicted at the end of a turn.");
    for (const [id, stream] of this.attached) {
      const hasFailed = told.failed.has(id);
      const isLost = stream.isBroken && stream.waiting > 0;
      assert(hasFailed === isLost, `"${id}" failed: ${hasFailed}.`);
      stream.flush(now);
      stream.settle();
      if (!hasFailed) continue;
      stream.fate = "broken off";
      this.#lost(id, undefined);
    }
  }

  age(told: Told, now: number): void {
    this.#assertKnown(told);
    for (const [id, stream] of this.attached) {
      const reason = told.evicted.get(id);
      // Nothing else notices that somebody has ended a stream.
      const hasFailed = stream.isBroken && told.failed.has(id);
      if (!hasFailed) {
        stream.age(reason !== undefined, this.#limits, now);
      } else stream.fate = "broken off";
      if (reason ?? hasFailed) this.#lost(id, reason);
    }
  }

  /** Ends the stream of a session; what it was given can be read. */
  delete(id: string, now: number): void {
    const stream = this.attached.get(id);
    if (stream === undefined) return;
    stream.flush(now);
    stream.fate = stream.isBroken ? "broken off" : "ended";
    this.attached.delete(id);
  }

  close(now: number): void {
    this.isClosed = true;
    for (const id of [...this.attached.keys()]) this.delete(id, now);
  }

  #opening(id: string, said: Expected | undefined, now: number) {
    const log = this.#log;
    if (log === undefined || said === undefined) return { texts: [] };
    const { lastEventId, startEventId, prime } = said;
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
    };
  }

  /** Nothing is told of streams that are not attached. */
  #assertKnown({ evicted, failed }: Told): void {
    for (const id of [...evicted.keys(), ...failed]) {
      assert(
        this.attached.has(id),
        `"${id}" was told of, and is not attached.`,
      );
    }
  }

  #lost(id: string, reason: EvictionReason | undefined): void {
    this.attached.delete(id);
    if (reason !== undefined) this.evicted[reason]++;
  }
}
