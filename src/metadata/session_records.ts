import { SessionLimitError } from "../errors.ts";
import type { SessionRegistration } from "../contracts/guarding.ts";
import type { StreamSessionManager } from "../contracts/stream_session_manager.ts";
import { touch } from "../runtime/lru_map.ts";
import { nextTurn } from "../runtime/end_of_turn.ts";
import { Slice } from "../runtime/slice.ts";
import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../runtime/scheduler.ts";

/**
 * The metadata of a session. Objects are stored as JSON: nobody can change them
 * from outside, and they take less memory.
 */
export interface SessionRecord extends IdleTracked {
  clientInfo?: string | undefined;
  clientCapabilities?: string | undefined;
  logLevel?: string | undefined;
  data?: string | undefined;
  initialize?: string | undefined;
  host?: string | undefined;
  registration?: SessionRegistration | undefined;
  /** When it was registered, in milliseconds since 1970. */
  startedAt?: number | undefined;
}

/** A record that knows when it was last used. */
export interface IdleTracked {
  lastUsedAt: number;
}

/** The limits of {@linkcode SessionRecords}. */
export interface RecordLimits {
  readonly idleTimeoutMs: number;
  readonly maxSessions: number;
  readonly maxSessionsPerPrincipal: number;
  readonly maxSubscriptionsPerSession: number;
  /** Knows which sessions have an open stream. */
  readonly streams: Pick<StreamSessionManager, "has"> | undefined;
}

/** What {@linkcode SessionRecords} needs from its owner. */
export interface RecordCallbacks<Record> {
  /** Creates the record of a session that is used for the first time. */
  readonly newRecord: (lastUsedAt: number) => Record;
  readonly onExpire: (id: string, record: Record) => void;
  readonly onError: (error: Error) => void;
  /**
   * Returns how many milliseconds ago other nodes used these sessions;
   * `undefined` if nobody can tell at the moment.
   */
  readonly remoteLastUsed?:
    | ((
      ids: readonly string[],
    ) => Promise<ReadonlyMap<string, number> | undefined>)
    | undefined;
  /**
   * Returns how much longer than `idleTimeoutMs` to wait until a session is
   * checked, because another node does so first, in milliseconds.
   */
  readonly graceMs?: ((id: string) => number) | undefined;
}

const NEVER: ReadonlyMap<string, number> = new Map();
/** How many sessions are checked for open streams at once. */
const SWEEP = 1_000;

/** The records of sessions. Those that nobody uses expire. */
export class SessionRecords<Record extends IdleTracked = SessionRecord>
  implements PeriodicTask {
  readonly periodMs: number;
  readonly #limits: RecordLimits;
  readonly #callbacks: RecordCallbacks<Record>;
  readonly #scheduler: Scheduler;
  /** The records, least recently used first. */
  readonly #records: Map<string, Record> = new Map();
  #isSweeping = false;

  constructor(
    limits: RecordLimits,
    callbacks: RecordCallbacks<Record>,
    scheduler: Scheduler,
  ) {
    this.#limits = limits;
    this.#callbacks = callbacks;
    this.#scheduler = scheduler;
    this.periodMs = checkPeriodFor(limits.idleTimeoutMs);
  }

  /** Returns the record of a session. */
  get(id: string): Record | undefined {
    return this.#records.get(id);
  }

  /** Returns the record of a session, and marks it as used. */
  touch(id: string): Record | undefined {
    const record = this.#records.get(id);
    if (record !== undefined) this.#markUsed(id, record);
    return record;
  }

  /**
   * Returns the record of a session, and marks it as used. Creates it if
   * necessary.
   *
   * @throws {SessionLimitError} If `maxSessions` is reached.
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
   * Creates the record of a session, regardless of `maxSessions`.
   *
   * @param id The session ID.
   * @param age How many milliseconds ago it was used.
   */
  insert(id: string, age: number = 0): Record {
    const record = this.#callbacks.newRecord(this.#scheduler.now() - age);
    this.#records.set(id, record);
    this.#scheduler.start(this);
    return record;
  }

  /** Returns how many milliseconds ago a record was used. */
  ageOf({ lastUsedAt }: Record): number {
    return this.#scheduler.now() - lastUsedAt;
  }

  /** Records that another node used a session some milliseconds ago. */
  onUsedElsewhere(id: string, age: number): void {
    const record = this.#records.get(id);
    const now = this.#scheduler.now();
    if (record === undefined || now - age <= record.lastUsedAt) return;
    this.#usedAt(id, record, now - age, now);
  }

  /** All records. */
  entries(): IterableIterator<[id: string, record: Record]> {
    return this.#records.entries();
  }

  /** Removes a session. */
  delete(id: string): void {
    this.#records.delete(id);
    if (this.#records.size === 0) this.#scheduler.stop(this);
  }

  /** Removes all sessions. */
  clear(): void {
    this.#records.clear();
    this.#scheduler.stop(this);
  }

  /** Looks for sessions that expired. */
  run(now: number): void {
    if (this.#isSweeping) return;
    const idle = this.#idle(now);
    if (idle.length === 0) return;
    this.#isSweeping = true;
    void this.#sweep(idle, now)
      .catch((error) => this.#callbacks.onError(error))
      .finally(() => this.#isSweeping = false);
  }

  /** Returns sessions that may have expired, up to a maximum. */
  #idle(now: number): [id: string, record: Record][] {
    const idle: [id: string, record: Record][] = [];
    const { graceMs } = this.#callbacks;
    for (const [id, record] of this.#records) {
      const idleMs = now - record.lastUsedAt - this.#limits.idleTimeoutMs;
      if (idleMs < 0) break;
      if (graceMs !== undefined && idleMs < graceMs(id)) continue;
      if (idle.push([id, record]) === SWEEP) break;
    }
    return idle;
  }

  /** Checks all sessions that may have expired, however many there are. */
  async #sweep(
    first: [id: string, record: Record][],
    now: number,
  ): Promise<void> {
    for (let idle = first; idle.length > 0; idle = this.#idle(now)) {
      if (!await this.#check(idle, now)) return;
      await nextTurn();
    }
  }

  /**
   * Removes those of some sessions that expired, in one slice.
   *
   * @returns Whether the others can be checked as well.
   */
  async #check(
    idle: readonly [id: string, record: Record][],
    now: number,
  ): Promise<boolean> {
    const isInUse = await Promise.all(idle.map(([id]) => this.#hasStream(id)));
    const unused = idle.filter((_, index) => !isInUse[index]).map(([id]) => id);
    const { remoteLastUsed = () => NEVER } = this.#callbacks;
    const used = unused.length === 0 ? NEVER : await remoteLastUsed(unused);
    // Only now: answers of other nodes may take longer than a slice.
    const slice = new Slice();
    for (const [index, [id, record]] of idle.entries()) {
      // Their streams are checked again in the next slice.
      if (slice.isOver()) return true;
      // It may have been used or replaced while its stream was checked.
      if (this.#records.get(id) !== record) continue;
      if (isInUse[index]) this.#markUsed(id, record);
      if (used === undefined) continue;
      const usedAt = now - (used.get(id) ?? Infinity);
      // The check itself must not count as use, on this node or another.
      if (usedAt > record.lastUsedAt) this.#usedAt(id, record, usedAt, now);
      if (now - record.lastUsedAt >= this.#limits.idleTimeoutMs) {
        this.delete(id);
        this.#callbacks.onExpire(id, record);
      }
    }
    return used !== undefined;
  }

  async #hasStream(id: string): Promise<boolean> {
    try {
      return await this.#limits.streams?.has(id) ?? false;
    } catch (error) {
      // Better too late than to remove a session in use.
      this.#callbacks.onError(error as Error);
      return true;
    }
  }

  /** Marks a session as used some time ago, on another node. */
  #usedAt(id: string, record: Record, at: number, now: number): void {
    record.lastUsedAt = at;
    // If it stays in place, it delays the sessions behind it; at the end, those
    // before it delay it. Choose the shorter delay.
    if (now - at > this.#limits.idleTimeoutMs / 2) return;
    touch(this.#records, id, record);
  }

  #markUsed(id: string, record: Record): void {
    const now = this.#scheduler.now();
    if (record.lastUsedAt === now) return;
    record.lastUsedAt = now;
    touch(this.#records, id, record);
  }
}
