import type { KnownCounts } from "../../metadata/metadata_store.ts";
import { touch } from "../../runtime/lru_map.ts";

/** A field: its value, and when it was last confirmed, in microseconds. */
export type CachedField = readonly [value: string, at: string];

/** What a node has seen of a session. */
export interface CachedSession {
  readonly fields: Map<string, CachedField>;
  /** Fields that are known not to exist. */
  readonly absent: Set<string>;
  /** Whether all others are known not to exist. */
  isComplete: boolean;
  lastUsedAt: number;
  /** When Redis was last informed that it is in use. */
  lastRenewedAt: number;
}

/**
 * The fields of sessions that this node has written or read. They are written
 * again if Redis has lost them, and answer reads during an outage.
 */
export class MetadataCache {
  /** The sessions, least recently used first. */
  readonly #sessions: Map<string, CachedSession> = new Map();
  #registered = 0;
  #subscriptions = 0;

  /** How many sessions that began through the guard, and subscriptions. */
  get known(): KnownCounts {
    return { sessions: this.#registered, subscriptions: this.#subscriptions };
  }

  /** Stores a field of a session; `null` if it does not exist. */
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
        absent: new Set(),
        isComplete: false,
        lastUsedAt: now,
        lastRenewedAt: -Infinity,
      };
    }
    if (value === null) {
      if (session.fields.delete(field)) this.#count(field, -1);
      session.absent.add(field);
    } else {
      if (!session.fields.has(field)) this.#count(field, 1);
      session.fields.set(field, [value, at]);
      session.absent.delete(field);
    }
    session.lastUsedAt = now;
    if (session.fields.size === 0) this.#sessions.delete(id);
    else touch(this.#sessions, id, session);
  }

  /** Returns what is known of a session. */
  get(id: string): CachedSession | undefined {
    return this.#sessions.get(id);
  }

  /** Returns a field of a session. */
  field(id: string, field: string): string | undefined {
    return this.#sessions.get(id)?.fields.get(field)?.[0];
  }

  /** Returns whether a field was confirmed after some time. */
  isNewer(id: string, field: string, at: string): boolean {
    const [, known = "0"] = this.#sessions.get(id)?.fields.get(field) ?? [];
    return Number(known) > Number(at);
  }

  /** Returns whether it is known if a session has a field, and its value. */
  knows(id: string, field: string): boolean {
    const session = this.#sessions.get(id);
    return session !== undefined &&
      (session.isComplete || session.fields.has(field) ||
        session.absent.has(field));
  }

  /** Records that everything is known of a session. */
  complete(id: string): void {
    const session = this.#sessions.get(id);
    if (session !== undefined) session.isComplete = true;
  }

  /** Returns whether anything is known of a session. */
  has(id: string): boolean {
    return this.#sessions.has(id);
  }

  /** Marks a session as used at some time. */
  touch(id: string, now: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    session.lastUsedAt = now;
    touch(this.#sessions, id, session);
  }

  /**
   * Marks a session as used now.
   *
   * @returns Whether Redis should be informed again.
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

  /** Returns the sessions that have a field. */
  sessionsWith(field: string): string[] {
    const ids: string[] = [];
    for (const [id, { fields }] of this.#sessions) {
      if (fields.has(field)) ids.push(id);
    }
    return ids;
  }

  /** Returns the resources that a session subscribed to. */
  subscriptionsOf(id: string): string[] {
    return [...this.#sessions.get(id)?.fields.keys() ?? []]
      .filter((field) => field.startsWith("u:"))
      .map((field) => field.slice(2));
  }

  /**
   * Returns the sessions that were not used since some time, up to a maximum.
   */
  idle(since: number, max: number): string[] {
    const ids: string[] = [];
    for (const [id, { lastUsedAt }] of this.#sessions) {
      if (lastUsedAt > since || ids.length === max) break;
      ids.push(id);
    }
    return ids;
  }

  /** Returns all sessions. */
  ids(): IterableIterator<string> {
    return this.#sessions.keys();
  }

  /** Removes a session. */
  delete(id: string): boolean {
    for (const field of this.#sessions.get(id)?.fields.keys() ?? []) {
      this.#count(field, -1);
    }
    return this.#sessions.delete(id);
  }

  /** Removes all sessions. */
  clear(): void {
    this.#sessions.clear();
    this.#registered = 0;
    this.#subscriptions = 0;
  }

  /** Counts a field that was added (1) or removed (-1). */
  #count(field: string, change: 1 | -1): void {
    if (field === "r") this.#registered += change;
    else if (field.startsWith("u:")) this.#subscriptions += change;
  }
}
