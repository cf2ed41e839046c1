import { SessionLimitError } from "../errors.ts";
import type { LoggingLevel } from "../mcp_types.ts";
import type { StreamSessionManager } from "../stream_session_manager.ts";
import { periodFor, type Ticker, type Watcher } from "./ticker.ts";

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
export interface SessionRecord {
  clientInfo?: string | undefined;
  clientCapabilities?: string | undefined;
  logLevel?: LoggingLevel | undefined;
  registration?: Registration | undefined;
  usedAt: number;
}

/** Limits of {@linkcode SessionRecords}. */
export interface RecordLimits {
  readonly idleMs: number;
  readonly maxSessions: number;
  /** Knows which sessions have an open stream. */
  readonly streams: Pick<StreamSessionManager, "has"> | undefined;
}

/** What {@linkcode SessionRecords} tells. */
export interface RecordListeners {
  readonly onExpire: (id: string) => void;
  readonly onError: (error: Error) => void;
}

/** How many sessions are asked for their streams at once. */
const SWEEP = 1_000;

/** The records of sessions; those that nobody uses are forgotten after a while. */
export class SessionRecords implements Watcher {
  readonly periodMs: number;
  readonly #limits: RecordLimits;
  readonly #listeners: RecordListeners;
  readonly #ticker: Ticker;
  /** The one that was not used for longest first. */
  readonly #records: Map<string, SessionRecord> = new Map();
  #isSweeping = false;

  constructor(
    limits: RecordLimits,
    listeners: RecordListeners,
    ticker: Ticker,
  ) {
    this.#limits = limits;
    this.#listeners = listeners;
    this.#ticker = ticker;
    this.periodMs = periodFor(limits.idleMs);
  }

  /** The record of a session. */
  get(id: string): SessionRecord | undefined {
    return this.#records.get(id);
  }

  /** The record of a session, which is in use now. */
  use(id: string): SessionRecord | undefined {
    const record = this.#records.get(id);
    if (record !== undefined) this.#touch(id, record);
    return record;
  }

  /**
   * The record of a session, which is in use now; a new one if there is none.
   *
   * @throws {SessionLimitError} When there is no place for another one.
   */
  obtain(id: string): SessionRecord {
    const known = this.use(id);
    if (known !== undefined) return known;
    const { maxSessions } = this.#limits;
    if (this.#records.size >= maxSessions) {
      throw new SessionLimitError(maxSessions);
    }
    const record = { usedAt: this.#ticker.now() };
    this.#records.set(id, record);
    this.#ticker.start(this);
    return record;
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
    const idle: [id: string, record: SessionRecord][] = [];
    for (const [id, record] of this.#records) {
      if (now - record.usedAt < this.#limits.idleMs) break;
      if (idle.push([id, record]) === SWEEP) break;
    }
    if (idle.length === 0) return;
    this.#isSweeping = true;
    void this.#sweep(idle, now).finally(() => this.#isSweeping = false);
  }

  async #sweep(
    idle: readonly [id: string, record: SessionRecord][],
    now: number,
  ): Promise<void> {
    await Promise.all(idle.map(async ([id, record]) => {
      const isOpen = await this.#hasStream(id);
      // It may have been used, or replaced, while its stream was looked for.
      if (this.#records.get(id) !== record) return;
      if (isOpen) this.#touch(id, record);
      else if (now - record.usedAt >= this.#limits.idleMs) {
        this.delete(id);
        this.#listeners.onExpire(id);
      }
    }));
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

  #touch(id: string, record: SessionRecord): void {
    const now = this.#ticker.now();
    if (record.usedAt === now) return;
    record.usedAt = now;
    this.#records.delete(id);
    this.#records.set(id, record);
  }
}
