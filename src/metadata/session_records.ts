import { SessionLimitError } from "../errors.ts";
import type { LoggingLevel } from "../protocol/mcp_types.ts";
import type { StreamSessionManager } from "../contracts/stream_session_manager.ts";
import { touch } from "../runtime/lru_map.ts";
import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../runtime/scheduler.ts";

/** Who may use a session, and from where on events are its own. */
export interface SessionRegistration {
  /** For whom the session began. */
  readonly principal: string | undefined;
  /** The id of the newest event then; `undefined` without replay. */
  readonly startEventId: string | undefined;
}

/**
 * What is stored of a session. Objects are kept as JSON text: nobody outside can
 * change it, and it is smaller than the object.
 */
export interface SessionRecord extends IdleTracked {
  clientInfo?: string | undefined;
  clientCapabilities?: string | undefined;
  logLevel?: LoggingLevel | undefined;
  registration?: SessionRegistration | undefined;
}

/** A record that knows when it was used. */
export interface IdleTracked {
  lastUsedAt: number;
}

/** Limits of {@linkcode SessionRecords}. */
export interface RecordLimits {
  readonly idleTimeoutMs: number;
  readonly maxSessions: number;
  /** Knows which sessions have an open stream. */
  readonly streams: Pick<StreamSessionManager, "has"> | undefined;
}

/** What {@linkcode SessionRecords} asks and tells. */
export interface RecordCallbacks<Record> {
  /** Makes the record of a session that is used for the first time. */
  readonly newRecord: (lastUsedAt: number) => Record;
  readonly onExpire: (id: string, record: Record) => void;
  readonly onError: (error: Error) => void;
  /**
   * Answers how many milliseconds ago others have used these sessions, where there
   * are others; `undefined` when that cannot be said now.
   */
  readonly remoteLastUsed?:
    | ((
      ids: readonly string[],
    ) => Promise<ReadonlyMap<string, number> | undefined>)
    | undefined;
}

const NEVER: ReadonlyMap<string, number> = new Map();
/** How many sessions are asked for their streams at once. */
const SWEEP = 1_000;

/** The records of sessions; those that nobody uses are forgotten after a while. */
export class SessionRecords<Record extends IdleTracked = SessionRecord>
  implements PeriodicTask {
  readonly periodMs: number;
  readonly #limits: RecordLimits;
  readonly #listeners: RecordCallbacks<Record>;
  readonly #ticker: Scheduler;
  /** The one that was not used for longest first. */
  readonly #records: Map<string, Record> = new Map();
  #isSweeping = false;

  constructor(
    limits: RecordLimits,
    listeners: RecordCallbacks<Record>,
    ticker: Scheduler,
  ) {
    this.#limits = limits;
    this.#listeners = listeners;
    this.#ticker = ticker;
    this.periodMs = checkPeriodFor(limits.idleTimeoutMs);
  }

  /** The record of a session. */
  get(id: string): Record | undefined {
    return this.#records.get(id);
  }

  /** The record of a session, which is in use now. */
  touch(id: string): Record | undefined {
    const record = this.#records.get(id);
    if (record !== undefined) this.#markUsed(id, record);
    return record;
  }

  /**
   * The record of a session, which is in use now; a new one if there is none.
   *
   * @throws {SessionLimitError} When there is no place for another one.
   */
  getOrCreate(id: string): Record {
    const known = this.touch(id);
    if (known !== undefined) return known;
    const { maxSessions } = this.#limits;
    if (this.#records.size >= maxSessions) {
      throw new SessionLimitError(maxSessions);
    }
    return this.insert(id);
  }

  /**
   * A new record of a session, whether there is a place for it or not.
   *
   * @param id The session.
   * @param age How many milliseconds ago it was used.
   */
  insert(id: string, age: number = 0): Record {
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
  run(now: number): void {
    if (this.#isSweeping) return;
    const idle: [id: string, record: Record][] = [];
    for (const [id, record] of this.#records) {
      if (now - record.lastUsedAt < this.#limits.idleTimeoutMs) break;
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
    const { remoteLastUsed = () => NEVER } = this.#listeners;
    const used = unused.length === 0 ? NEVER : await remoteLastUsed(unused);
    for (const [index, [id, record]] of idle.entries()) {
      // It may have been used, or replaced, while its stream was looked for.
      if (this.#records.get(id) !== record) continue;
      if (isInUse[index]) this.#markUsed(id, record);
      if (used === undefined) continue;
      const usedAt = now - (used.get(id) ?? Infinity);
      // It is not used by being looked at, here or there.
      if (usedAt > record.lastUsedAt) this.#usedAt(id, record, usedAt, now);
      if (now - record.lastUsedAt >= this.#limits.idleTimeoutMs) {
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
    record.lastUsedAt = at;
    // In its place it holds up those behind it, at the end it is held up by those
    // before it: whichever is shorter.
    if (now - at > this.#limits.idleTimeoutMs / 2) return;
    touch(this.#records, id, record);
  }

  #markUsed(id: string, record: Record): void {
    const now = this.#ticker.now();
    if (record.lastUsedAt === now) return;
    record.lastUsedAt = now;
    touch(this.#records, id, record);
  }
}
