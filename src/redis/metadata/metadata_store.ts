import { checkPeriodFor, type PeriodicTask } from "../../runtime/scheduler.ts";
import type { SessionEndReason } from "../../contracts/options.ts";
import type { SessionEvents } from "../../metadata/session_events.ts";
import type { SessionRegistration } from "../../contracts/guarding.ts";
import type {
  KnownCounts,
  MetadataField,
  MetadataStore,
  StoredSummary,
} from "../../metadata/metadata_store.ts";
import type { RedisComponent } from "../redis_component.ts";
import type { RedisNode } from "../redis_node.ts";
import type { Script } from "../connection/script.ts";
import { MetadataCache } from "./metadata_cache.ts";
import { FIELD_NAMES, subscriptionField } from "./metadata_fields.ts";
import * as scripts from "./metadata_scripts.ts";
import { KnownSessions } from "./known_sessions.ts";
import { MetadataExpiry } from "./metadata_expiry.ts";
import { MetadataPrefetcher } from "./metadata_prefetcher.ts";
import { MetadataRestorer } from "./metadata_restorer.ts";
import {
  assertQueueable,
  assertWritten,
  limitArguments,
  type MetadataLimits,
} from "./metadata_limits.ts";
import { principalOf } from "./principal_pages.ts";
import { Registrations } from "./registrations.ts";
import { SubscriptionReader } from "./subscription_reader.ts";
import { ENDED, PendingWrites } from "./pending_writes.ts";

/** Options of a {@linkcode RedisMetadataStore}. */
export interface RedisMetadataStoreOptions extends MetadataLimits {
  /**
   * Resolves when everything that was sent before is in the log; undefined
   * without one.
   */
  readonly flushed: (() => Promise<void>) | undefined;
  /** Returns whether a session has a stream on this node. */
  readonly isAttached?: ((id: string) => boolean) | undefined;
}

/**
 * The metadata of sessions in Redis. During an outage, reads are answered from
 * this node's cache, and writes are repeated afterwards.
 */
export class RedisMetadataStore
  implements MetadataStore, RedisComponent, PeriodicTask {
  readonly periodMs: number;
  readonly #redisNode: RedisNode;
  readonly #options: RedisMetadataStoreOptions;
  readonly #cache = new MetadataCache();
  readonly #pendingWrites: PendingWrites;
  readonly #restorer: MetadataRestorer;
  readonly #prefetcher: MetadataPrefetcher;
  readonly #subscriptions: SubscriptionReader;
  readonly #registrations: Registrations;
  readonly #expiry: MetadataExpiry;
  readonly #report: (error: unknown) => void;
  readonly #known: KnownSessions;
  #expired = 0;

  constructor(redisNode: RedisNode, options: RedisMetadataStoreOptions) {
    this.#redisNode = redisNode;
    this.#report = (error) => redisNode.connection.report(error);
    this.#pendingWrites = new PendingWrites(this.#report);
    this.#options = options;
    this.periodMs = checkPeriodFor(options.ttlMs);
    this.#prefetcher = new MetadataPrefetcher(
      redisNode,
      (id, field, value, at, isRestored) => {
        if (isRestored && this.#cache.isNewer(id, field, at)) return;
        this.#cachePut(id, field, value, at);
      },
      (id) => this.#cache.complete(id),
    );
    this.#expiry = new MetadataExpiry(
      redisNode,
      this.#cache,
      options.ttlMs,
      (id) => this.#expire(id),
    );
    this.#subscriptions = new SubscriptionReader(redisNode, this.#cache);
    this.#restorer = new MetadataRestorer(redisNode, this.#cache, options);
    this.#known = new KnownSessions({
      redisNode,
      cache: this.#cache,
      pendingWrites: this.#pendingWrites,
      restorer: this.#restorer,
      isAttached: options.isAttached,
    });
    this.#registrations = new Registrations({
      redisNode,
      limits: options,
      flushed: options.flushed,
      cache: this.#cache,
      pendingWrites: this.#pendingWrites,
      known: this.#known,
      restorer: this.#restorer,
      cachePut: (...field) => this.#cachePut(...field),
    });
    redisNode.components.add(this);
    redisNode.node.handle("metadata", ({ id, deleted, reason }) => {
      if (deleted !== undefined) {
        this.#registrations.onEndedElsewhere(id, reason);
      }
    });
  }

  get expired(): number {
    return this.#expired;
  }

  get known(): KnownCounts {
    return this.#cache.known;
  }

  write(id: string, field: MetadataField, value: string | null): Promise<void> {
    return this.#write(id, FIELD_NAMES[field], value);
  }

  async subscribe(id: string, uri: string): Promise<void> {
    assertQueueable(this.#pendingWrites.count(id), this.#options);
    return await this.#write(id, subscriptionField(uri), "");
  }

  unsubscribe(id: string, uri: string): Promise<void> {
    return this.#write(id, subscriptionField(uri), null);
  }

  async read(id: string, name: MetadataField): Promise<string | undefined> {
    const field = FIELD_NAMES[name];
    try {
      const [value, at, epoch, restoredAt] = await this.#evaluate(
        scripts.READ,
        id,
        [this.#redisNode.keys.logState, field, String(this.#options.ttlMs)],
      ) as [string | null, string, string, string];
      if (value === null) await this.#redisNode.checkEpoch(epoch);
      // What is queued here is newer, or what another node does not know of.
      if (
        this.#pendingWrites.has(id, field) ||
        value === null && this.#known.isUncertain(id) ||
        restoredAt && this.#cache.isNewer(id, field, restoredAt)
      ) return this.#known.cachedField(id, field);
      this.#cachePut(id, field, value, restoredAt || at);
      return value ?? undefined;
    } catch (error) {
      return this.#known.fromCache(error, id, field);
    }
  }

  async peek(id: string, name: MetadataField): Promise<string | undefined> {
    const field = FIELD_NAMES[name];
    try {
      const value = await this.#evaluate(scripts.PEEK_FIELD, id, [field]);
      if (value !== null) return value as string;
      return this.#known.isUncertain(id)
        ? this.#known.cachedField(id, field)
        : undefined;
    } catch (error) {
      return this.#known.fromCache(error, id, field);
    }
  }

  register(
    id: string,
    { principal }: SessionRegistration,
  ): Promise<boolean> {
    return this.#registrations.register(id, principal);
  }

  async registration(id: string): Promise<SessionRegistration | undefined> {
    let owner: string | undefined;
    let startEventId: string | undefined;
    try {
      let at: string;
      let epoch: string;
      let startedAt: string;
      [owner, startEventId, at, epoch, startedAt] = await this.#evaluate(
        scripts.PEEK,
        id,
        [this.#redisNode.keys.logState],
      ) as [string, string, string, string, string];
      if (owner === "") await this.#redisNode.checkEpoch(epoch);
      if (
        this.#pendingWrites.has(id, ENDED) ||
        owner !== "" && this.#registrations.hasEnded(id, startedAt)
      ) return undefined;
      if (owner === "" && this.#known.isUncertain(id)) {
        owner = this.#known.cachedField(id, "r");
        startEventId = this.#cache.field(id, "n");
      } else if (owner === "" && this.#known.isEvicted(id)) {
        await this.#restorer.restoreOne(id);
        this.#redisNode.components.evicted(id);
        owner = this.#cache.field(id, "r");
        startEventId = this.#cache.field(id, "n");
      } else if (owner === "") this.#known.assertUnknown(id);
      else this.#cachePut(id, "r", owner, at);
      if (startEventId) this.#cachePut(id, "n", startEventId, at);
      if (startedAt) this.#cachePut(id, "w", startedAt, at);
    } catch (error) {
      owner = this.#known.fromCache(error, id, "r");
      startEventId = this.#cache.field(id, "n");
    }
    if (!owner) return undefined;
    return {
      principal: principalOf(owner),
      startEventId: startEventId || undefined,
    };
  }

  pages(principal?: string): AsyncIterable<readonly string[]> {
    return this.#registrations.pages(principal);
  }

  describe(
    ids: readonly string[],
  ): Promise<readonly (StoredSummary | undefined)[]> {
    return this.#registrations.describe(ids);
  }

  ageOf(id: string): number | undefined {
    const session = this.#cache.get(id);
    const now = this.#redisNode.node.scheduler.now();
    return session && now - session.lastUsedAt;
  }

  touch(id: string): void {
    const now = this.#redisNode.node.scheduler.now();
    const { ttlMs } = this.#options;
    if (!this.#cache.renew(id, now, ttlMs / 10)) return;
    // Kept until it is restored.
    const keptMs = String(Math.ceil(ttlMs * 1.1));
    const { prefix } = this.#redisNode.keys;
    this.#evaluate(scripts.TOUCH, id, [prefix, keptMs]).catch(this.#report);
  }

  sessionsSubscribedTo(uri: string): Promise<string[]> {
    return this.#subscriptions.sessionsOf(uri);
  }

  subscriptionsOf(id: string): Promise<string[]> {
    return this.#subscriptions.urisOf(id);
  }

  get events(): SessionEvents {
    return this.#registrations.events;
  }

  delete(id: string, reason: SessionEndReason): Promise<boolean> {
    return this.#registrations.delete(id, reason);
  }

  onSessionsClaimed(ids: Iterable<string>): void {
    this.#prefetcher.add(ids);
  }

  run(now: number): void {
    this.#expiry.run(now);
  }

  onReconnected(isEmpty: boolean): void {
    if (isEmpty) this.#restorer.onDataLost();
    void this.#recover().catch(this.#report);
  }

  /** Removes everything on this node. */
  close(): void {
    this.#redisNode.node.scheduler.stop(this);
    this.#cache.clear();
    this.#pendingWrites.clear();
    this.#restorer.clear();
    this.#known.clear();
  }

  async #write(id: string, field: string, value: string | null): Promise<void> {
    const write = () =>
      this.#evaluate(scripts.WRITE, id, [
        this.#redisNode.keys.prefix,
        id,
        ...limitArguments(this.#options),
        value === null ? "del" : "set",
        field,
        value ?? "",
      ]) as Promise<string>;
    const at = await this.#pendingWrites.runOrQueue(id, field, write);
    assertWritten(at, this.#options);
    this.#cachePut(id, field, value, at);
  }

  /** Runs a script that needs only the session's own key. */
  #evaluate(script: Script, id: string, args: string[]): Promise<unknown> {
    const { connection, keys } = this.#redisNode;
    return connection.evaluate(script, keys.sessions + id, args);
  }

  #cachePut(
    id: string,
    field: string,
    value: string | null,
    at: string = String(this.#redisNode.clock.now()),
  ): void {
    const { scheduler } = this.#redisNode.node;
    scheduler.start(this);
    this.#cache.set(id, field, value, at, scheduler.now());
  }

  /** Called with a session of the cache that has expired. */
  #expire(id: string): void {
    const field = this.#cache.field(id, "r");
    const startedAt = this.#cache.field(id, "w");
    this.#known.forget(id);
    this.#expired++;
    if (field === undefined) return;
    this.#registrations.expire(id, field, startedAt).catch(this.#report);
  }

  /** Makes queued writes, and restores sessions that Redis has lost. */
  async #recover(): Promise<void> {
    // Only then do other nodes know the sessions that began here.
    await this.#pendingWrites.repeat("r");
    await this.#restorer.restore();
    await this.#registrations.repeatEnds();
  }
}
