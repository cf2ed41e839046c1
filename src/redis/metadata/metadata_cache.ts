import { touch } from "../../runtime/lru_map.ts";

/** A field: its value, and when it was known last, in microseconds. */
export type CachedField = readonly [value: string, at: string];

/** What a node has seen of a session. */
export interface CachedSession {
  readonly fields: Map<string, CachedField>;
  lastUsedAt: number;
  /** When Redis was told last that it is in use. */
  lastRenewedAt: number;
}

/**
 * What this node has written and read of sessions, to write it again where Redis
 * has lost it, and to answer from it while Redis is out of reach.
 */
export class MetadataCache {
  /** The one that was not used for longest first. */
  readonly #sessions: Map<string, CachedSession> = new Map();

  /** Notes a field of a session; `null` for one that is not there. */
  set(
    id: string,
    field: string,
    value: string | null,
    at: string,
    now: number,
  ): void {
    let session = this.#sessions.get(id);
    if (session === undefined) {
      if (value === null) return;
      session = {
        fields: new Map(),
        lastUsedAt: now,
        lastRenewedAt: -Infinity,
      };
    }
    if (value === null) session.fields.delete(field);
    else session.fields.set(field, [value, at]);
    session.lastUsedAt = now;
    if (session.fields.size === 0) this.#sessions.delete(id);
    else touch(this.#sessions, id, session);
  }

  /** What is known of a session. */
  get(id: string): CachedSession | undefined {
    return this.#sessions.get(id);
  }

  /** A field of a session. */
  field(id: string, field: string): string | undefined {
    return this.#sessions.get(id)?.fields.get(field)?.[0];
  }

  /** Whether anything is known of a session. */
  has(id: string): boolean {
    return this.#sessions.has(id);
  }

  /** Notes that a session is in use, as of some time. */
  touch(id: string, now: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    session.lastUsedAt = now;
    touch(this.#sessions, id, session);
  }

  /**
   * Notes that a session is in use now.
   *
   * @returns Whether it is time to tell Redis so again.
   */
  renew(id: string, now: number, everyMs: number): boolean {
    this.touch(id, now);
    const session = this.#sessions.get(id);
    if (session === undefined || now - session.lastRenewedAt < everyMs) {
      return false;
    }
    session.lastRenewedAt = now;
    return true;
  }

  /** The sessions that have a field. */
  sessionsWith(field: string): string[] {
    const ids: string[] = [];
    for (const [id, { fields }] of this.#sessions) {
      if (fields.has(field)) ids.push(id);
    }
    return ids;
  }

  /** The sessions that were not used since then, but not too many. */
  idle(since: number, most: number): string[] {
    const ids: string[] = [];
    for (const [id, { lastUsedAt }] of this.#sessions) {
      if (lastUsedAt > since || ids.length === most) break;
      ids.push(id);
    }
    return ids;
  }

  /** All sessions. */
  ids(): IterableIterator<string> {
    return this.#sessions.keys();
  }

  /** Forgets a session. */
  delete(id: string): boolean {
    return this.#sessions.delete(id);
  }

  /** Forgets all. */
  clear(): void {
    this.#sessions.clear();
  }
}
