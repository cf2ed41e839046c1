import { SessionLimitError } from "../errors.ts";
import type { LoggingLevel } from "../protocol/mcp_types.ts";
import type { StreamSessionManager } from "../contracts/stream_session_manager.ts";
import { setNewest } from "../runtime/lru_map.ts";
import { periodFor, type Ticker, type Watcher } from "../runtime/scheduler.ts";

/** Who may use a session, and from where on events are its own. */
export interface Registration {
  /** For whom the session began. */
  readonly principal: string | undefined;
  /** The id of the newest event then; `undefined` without replay. */
  readonly since: string | undefined;
}

/**
 * What is stored of a session. Objects are kept as JSON text: nobody outside can
 * change it, and it is smaller than the object.
 */
export interface SessionRecord extends UsedRecord {
  clientInfo?: string | undefined;
  clientCapabilities?: string | undefined;
  logLevel?: LoggingLevel | undefined;
  registration?: Registration | undefined;
}

/** A record that knows when it was used. */
export interface UsedRecord {
  usedAt: number;
}

/** Limits of {@linkcode SessionRecords}. */
export interface RecordLimits {
  readonly idleMs: number;
  readonly maxSessions: number;
  /** Knows which sessions have an open stream. */
  readonly streams: Pick<StreamSessionManager, "has"> | undefined;
}

/** What {@linkcode SessionRecords} asks and tells. */
export interface RecordListeners<Record> {
  /** Makes the record of a session that is used for the first time. */
  readonly newRecord: (usedAt: number) => Record;
  readonly onExpire: (id: string, record: Record) => void;
  readonly onError: (error: Error) => void;
  /**
   * Answers how many milliseconds ago others have used these sessions, where there
   * are others; `undefined` when that cannot be said now.
   */
  readonly usedElsewhere?:
    | ((
      ids: readonly string[],
    ) => Promise<ReadonlyMap<string, number> | undefined>)
    | undefined;
}

const NEVER: ReadonlyMap<string, number> = new Map();
/** How many sessions are asked for their streams at once. */
const SWEEP = 1_000;

/** The records of sessions; those that nobody uses are forgotten after a while. */
export class SessionRecords<Record extends UsedRecord = SessionRecord>
  implements Watcher {
  readonly periodMs: number;
  readonly #limits: RecordLimits;
  readonly #listeners: RecordListeners<Record>;
  readonly #ticker: Ticker;
  /** The one that was not used for longest first. */
  readonly #records: Map<string, Record> = new Map();
  #isSweeping = false;

  constructor(
    limits: RecordLimits,
    listeners: RecordListeners<Record>,
    ticker: Ticker,
  ) {
    this.#limits = limits;
    this.#listeners = listeners;
    this.#ticker = ticker;
    this.periodMs = periodFor(limits.idleMs);
  }

  /** The record of a session. */
  get(id: string): Record | undefined {
    return this.#records.get(id);
  }

  /** The record of a session, which is in use now. */
  use(id: string): Record | undefined {
    const record = this.#records.get(id);
    if (record !== undefined) this.#touch(id, record);
    return record;
  }

  /**
   * The record of a session, which is in use now; a new one if there is none.
   *
   * @throws {SessionLimitError} When there is no place for another one.
   */
  obtain(id: string): Record {
    const known = this.use(id);
    if (known !== undefined) return known;
    const { maxSessions } = this.#limits;
    if (this.#records.size >= maxSessions) {
      throw new SessionLimitError(maxSessions);
    }
    return this.add(id);
  }

  /**
   * A new record of a session, whether there is a place for it or not.
   *
   * @param id The session.
   * @param age How many milliseconds ago it was used.
   */
  add(id: string, age: number = 0): Record {
    const record = this.#listeners.newRecord(this.#ticker.now() - age);
    this.#records.set(id, record);
    this.#ticker.start(this);
    return record;
  }

  /** All records. */
  entries(): IterableIterator<[id: string, record: Record]> {
    return this.#records.entries();
  }

  /** Forgets a session. */
  delete(id: string): void {
    this.#records.delete(id);
    if (this.#records.size === 0) this.#ticker.stop(this);
  }

  /** Forgets all sessions. */
  clear(): void {
    this.#records.clear();
    this.#ticker.stop(this);
  }

  /** Looks for sessions that nobody uses. */
  tick(now: number): void {
    if (this.#isSweeping) return;
    const idle: [id: string, record: Record][] = [];
    for (const [id, record] of this.#records) {
      if (now - record.usedAt < this.#limits.idleMs) break;
      if (idle.push([id, record]) === SWEEP) break;
    }
    if (idle.length === 0) return;
    this.#isSweeping = true;
    void this.#sweep(idle, now)
      .catch((error) => this.#listeners.onError(error))
      .finally(() => this.#isSweeping = false);
  }

  async #sweep(
    idle: readonly [id: string, record: Record][],
    now: number,
  ): Promise<void> {
    const isInUse = await Promise.all(idle.map(([id]) => this.#hasStream(id)));
    const unused = idle.filter((_, index) => !isInUse[index]).map(([id]) => id);
    const { usedElsewhere = () => NEVER } = this.#listeners;
    const used = unused.length === 0 ? NEVER : await usedElsewhere(unused);
    for (const [index, [id, record]] of idle.entries()) {
      // It may have been used, or replaced, while its stream was looked for.
      if (this.#records.get(id) !== record) continue;
      if (isInUse[index]) this.#touch(id, record);
      if (used === undefined) continue;
      const usedAt = now - (used.get(id) ?? Infinity);
      // It is not used by being looked at, here or there.
      if (usedAt > record.usedAt) this.#usedAt(id, record, usedAt, now);
      if (now - record.usedAt >= this.#limits.idleMs) {
        this.delete(id);
        this.#listeners.onExpire(id, record);
      }
    }
  }

  async #hasStream(id: string): Promise<boolean> {
    try {
      return await this.#limits.streams?.has(id) ?? false;
    } catch (error) {
      // Rather too long than a session that is in use.
      this.#listeners.onError(error as Error);
      return true;
    }
  }

  /** It was used elsewhere, some time ago. */
  #usedAt(id: string, record: Record, at: number, now: number): void {
    record.usedAt = at;
    // In its place it holds up those behind it, at the end it is held up by those
    // before it: whichever is shorter.
    if (now - at > this.#limits.idleMs / 2) return;
    setNewest(this.#records, id, record);
  }

  #touch(id: string, record: Record): void {
    const now = this.#ticker.now();
    if (record.usedAt === now) return;
    record.usedAt = now;
    setNewest(this.#records, id, record);
  }
}
