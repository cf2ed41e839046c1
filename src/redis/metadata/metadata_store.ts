import { ClusterError, SessionLimitError } from "../../errors.ts";
import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import { checkPeriodFor, type PeriodicTask } from "../../runtime/scheduler.ts";
import type { SessionRegistration } from "../../metadata/session_records.ts";
import type {
  MetadataField,
  MetadataStore,
} from "../../cluster/metadata/metadata_store.ts";
import type { RedisComponent, RedisNode } from "../redis_node.ts";
import { inChunks } from "../connection/chunks.ts";
import { type CachedSession, MetadataCache } from "./metadata_cache.ts";
import * as scripts from "./metadata_scripts.ts";
import { isTransientError } from "../connection/redis_errors.ts";

/**
 * The names of fields in Redis, short because each character is stored for
 * every session.
 */
const NAMES = {
  clientInfo: "c",
  clientCapabilities: "b",
  logLevel: "l",
} satisfies Record<MetadataField, string>;
/** How many sessions one command checks. */
const SESSIONS_PER_COMMAND = 1_000;

/** Returns whether a field is metadata, rather than about the owner. */
function isMetadata(name: string): boolean {
  return name.length === 1 ? "cblrn".includes(name) : name.startsWith("u:");
}

/** Options of a {@linkcode RedisMetadataStore}. */
export interface RedisMetadataStoreOptions {
  /** How long an unused session is kept, in milliseconds. */
  readonly ttlMs: number;
  readonly maxSessions: number;
  /**
   * Resolves when everything that was sent before is in the log; undefined
   * without one.
   */
  readonly flushed: (() => Promise<void>) | undefined;
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
  /** Writes to repeat when Redis is back, by session and field. */
  readonly #pendingWrites: Map<string, Map<string, () => Promise<unknown>>> =
    new Map();
  /** Sessions that Redis has lost, and that must be restored. */
  readonly #toRestore: Set<string> = new Set();
  /**
   * Sessions that this node has taken over, and whose fields it may not know.
   */
  #toPrefetch: Set<string> = new Set();
  #expired = 0;
  #isChecking = false;

  constructor(backend: RedisNode, options: RedisMetadataStoreOptions) {
    this.#redisNode = backend;
    this.#options = options;
    this.periodMs = checkPeriodFor(options.ttlMs);
    backend.add(this);
    backend.node.handle("metadata", ({ id, deleted }) => {
      if (deleted !== undefined) this.#forget(id);
    });
  }

  get expired(): number {
    return this.#expired;
  }

  write(id: string, field: MetadataField, value: string | null): Promise<void> {
    return this.#write(id, NAMES[field], value);
  }

  subscribe(id: string, uri: string): Promise<void> {
    return this.#write(id, `u:${uri}`, "");
  }

  unsubscribe(id: string, uri: string): Promise<void> {
    return this.#write(id, `u:${uri}`, null);
  }

  async read(id: string, name: MetadataField): Promise<string | undefined> {
    const field = NAMES[name];
    try {
      const [value, at] = await this.#redisNode.connection.evaluate(
        scripts.READ,
        this.#redisNode.keys.sessions + id,
        [field, String(this.#options.ttlMs)],
      ) as [string | null, string];
      if (value === null && this.#isRestoring(id)) {
        return this.#cachedField(id, field);
      }
      this.#cachePut(id, field, value, at);
      return value ?? undefined;
    } catch (error) {
      return this.#fromCache(error, id, field);
    }
  }

  async register(id: string, principal: string | undefined): Promise<boolean> {
    const { flushed } = this.#options;
    await flushed?.();
    const value = principal === undefined ? "-" : `=${principal}`;
    const register = () =>
      this.#run(scripts.REGISTER, id, [
        ...this.#limits(),
        value,
        flushed === undefined ? "" : "log",
      ]) as Promise<[string, string?]>;
    const [owner, since] = await this.#runOrQueue(id, "r", register) ??
      [this.#cache.field(id, "r") ?? value];
    if (owner === "") throw new SessionLimitError(this.#options.maxSessions);
    this.#cachePut(id, "r", owner, this.#now());
    if (since) this.#cachePut(id, "n", since, this.#now());
    return owner === value;
  }

  async registration(id: string): Promise<SessionRegistration | undefined> {
    let owner: string | undefined;
    let since: string | undefined;
    try {
      let at: string;
      [owner, since, at] = await this.#redisNode.connection.evaluate(
        scripts.PEEK,
        this.#redisNode.keys.sessions + id,
        ["r", "n"],
      ) as [string, string, string];
      if (owner === "" && this.#isRestoring(id)) {
        owner = this.#cachedField(id, "r");
        since = this.#cache.field(id, "n");
      } else if (owner !== "") this.#cachePut(id, "r", owner, at);
      if (since) this.#cachePut(id, "n", since, at);
    } catch (error) {
      owner = this.#fromCache(error, id, "r");
      since = this.#cache.field(id, "n");
    }
    if (!owner) return undefined;
    const principal = owner === "-" ? undefined : owner.slice(1);
    return { principal, startEventId: since || undefined };
  }

  touch(id: string): void {
    const now = this.#redisNode.node.scheduler.now();
    const { ttlMs } = this.#options;
    if (!this.#cache.renew(id, now, ttlMs / 10)) return;
    this.#redisNode.connection.evaluate(
      scripts.TOUCH,
      this.#redisNode.keys.sessions + id,
      // Kept until it is restored.
      [String(Math.ceil(ttlMs * 1.1))],
    ).catch((error) => this.#redisNode.connection.report(error));
  }

  async sessionsSubscribedTo(uri: string): Promise<string[]> {
    const { connection, keys } = this.#redisNode;
    const field = `u:${uri}`;
    try {
      return await connection.evaluate(
        scripts.SUBSCRIBED,
        keys.resources + uri,
        [keys.prefix, field],
      ) as string[];
    } catch (error) {
      if (!isTransientError(error)) throw error;
      return this.#cache.sessionsWith(field);
    }
  }

  async delete(id: string): Promise<void> {
    this.#forget(id);
    const { node } = this.#redisNode;
    const deleted = node.clock.next();
    node.broadcast({ kind: "metadata", id, fields: [], deleted });
    const remove = () => this.#run(scripts.DELETE, id, []);
    await this.#runOrQueue(id, "", remove);
  }

  /** Reads the fields of sessions that this node has taken over. */
  onSessionsClaimed(ids: Iterable<string>): void {
    const isScheduled = this.#toPrefetch.size > 0;
    for (const id of ids) this.#toPrefetch.add(id);
    if (isScheduled || this.#toPrefetch.size === 0) return;
    atEndOfTurn(() => {
      const arrived = [...this.#toPrefetch];
      this.#toPrefetch = new Set();
      this.#prefetch(arrived).catch((error) =>
        this.#redisNode.connection.report(error)
      );
    });
  }

  run(now: number): void {
    if (this.#isChecking || this.#redisNode.connection.isDown) return;
    const idle = this.#cache.idle(
      now - this.#options.ttlMs,
      SESSIONS_PER_COMMAND,
    );
    if (idle.length === 0) return;
    this.#isChecking = true;
    this.#check(idle, now).catch((error) =>
      this.#redisNode.connection.report(error)
    ).finally(() => this.#isChecking = false);
  }

  onReconnected(isEmpty: boolean): void {
    if (isEmpty) {
      for (const id of this.#cache.ids()) this.#toRestore.add(id);
    }
    void this.#replayWrites().catch((error) =>
      this.#redisNode.connection.report(error)
    );
  }

  /** Removes everything on this node. */
  close(): void {
    this.#redisNode.node.scheduler.stop(this);
    this.#cache.clear();
    this.#pendingWrites.clear();
    this.#toRestore.clear();
  }

  #limits(): string[] {
    const { ttlMs, maxSessions } = this.#options;
    return [
      String(ttlMs),
      maxSessions === Infinity ? "0" : String(maxSessions),
    ];
  }

  async #write(id: string, field: string, value: string | null): Promise<void> {
    const write = () =>
      this.#run(scripts.WRITE, id, [
        ...this.#limits(),
        value === null ? "del" : "set",
        field,
        value ?? "",
      ]) as Promise<string>;
    const at = await this.#runOrQueue(id, field, write);
    if (at === "") throw new SessionLimitError(this.#options.maxSessions);
    this.#cachePut(id, field, value, at ?? this.#now());
  }

  #run(
    script: (typeof scripts)[keyof typeof scripts],
    id: string,
    args: readonly string[],
  ): Promise<unknown> {
    const { connection, keys } = this.#redisNode;
    const key = keys.sessions + id;
    return connection.evaluate(script, key, [keys.prefix, id, ...args]);
  }

  /**
   * Runs an operation now, or queues it until Redis is back; `undefined` if it
   * is queued.
   */
  async #runOrQueue<Result>(
    id: string,
    field: string,
    act: () => Promise<Result>,
  ): Promise<Result | undefined> {
    // This operation replaces the queued one.
    const queued = this.#pendingWrites.get(id);
    queued?.delete(field);
    if (queued?.size === 0) this.#pendingWrites.delete(id);
    try {
      return await act();
    } catch (error) {
      if (!isTransientError(error)) throw error;
      const queue = this.#pendingWrites.get(id) ?? new Map();
      // Moves it to the end: operations are repeated in order.
      queue.delete(field);
      this.#pendingWrites.set(id, queue.set(field, act));
      return undefined;
    }
  }

  #cachePut(id: string, field: string, value: string | null, at: string): void {
    const { scheduler } = this.#redisNode.node;
    scheduler.start(this);
    this.#cache.set(id, field, value, at, scheduler.now());
  }

  /** Answers from the cache, during an outage. */
  #fromCache(error: unknown, id: string, field: string): string | undefined {
    if (!isTransientError(error)) throw error;
    return this.#cachedField(id, field);
  }

  /** Whether a session is still being restored, by this node or others. */
  #isRestoring(id: string): boolean {
    return this.#toRestore.has(id) || this.#redisNode.isRecovering;
  }

  /**
   * Returns a field from the cache.
   *
   * @throws {ClusterError} If this node has seen nothing of the session.
   */
  #cachedField(id: string, field: string): string | undefined {
    const value = this.#cache.field(id, field);
    if (value !== undefined || this.#cache.has(id)) return value;
    throw new ClusterError(
      "The session cannot be looked up: Redis is unavailable, or is being " +
        "restored after it lost its data. Try again later.",
    );
  }

  #forget(id: string): void {
    this.#cache.delete(id);
    this.#pendingWrites.delete(id);
  }

  async #prefetch(ids: readonly string[]): Promise<void> {
    const { connection, keys } = this.#redisNode;
    for (const some of inChunks(ids, SESSIONS_PER_COMMAND)) {
      const sessions = await connection.evaluate(
        scripts.RECALL,
        keys.logState,
        [keys.sessions, ...some],
      ) as [...string[][], string];
      const at = sessions.pop() as string;
      for (const [index, id] of some.entries()) {
        const fields = sessions[index] as string[];
        for (let each = 0; each < fields.length; each += 2) {
          const name = fields[each]!;
          if (isMetadata(name)) this.#cachePut(id, name, fields[each + 1]!, at);
        }
      }
    }
  }

  async #check(ids: readonly string[], now: number): Promise<void> {
    const { connection, keys } = this.#redisNode;
    const ttls = await connection.evaluate(
      scripts.LEFT,
      keys.logState,
      [keys.sessions, ...ids],
    ) as number[];
    for (const [index, id] of ids.entries()) {
      const ms = Number(ttls[index]);
      if (ms > 0) this.#cache.touch(id, now - this.#options.ttlMs + ms);
      else if (this.#cache.has(id)) {
        this.#forget(id);
        this.#expired++;
      }
    }
  }

  async #replayWrites(): Promise<void> {
    for (const [id, queued] of [...this.#pendingWrites]) {
      for (const [field, act] of [...queued]) {
        // Unless something newer was queued meanwhile.
        const isDue = this.#pendingWrites.get(id)?.get(field) === act;
        if (isDue) await this.#runOrQueue(id, field, act);
      }
    }
    const now = this.#redisNode.node.scheduler.now();
    // If an outage interrupts it, it continues afterwards.
    for (const some of inChunks([...this.#toRestore], 100)) {
      await Promise.all(some.map(async (id) => {
        const cached = this.#cache.get(id);
        const used = cached?.lastUsedAt ?? -Infinity;
        const ttls = this.#options.ttlMs - (now - used);
        if (cached !== undefined && ttls > 0) {
          await this.#restore(id, cached, ttls);
        }
        this.#toRestore.delete(id);
      }));
    }
  }

  async #restore(
    id: string,
    { fields }: CachedSession,
    ttls: number,
  ): Promise<void> {
    await this.#run(scripts.RESTORE, id, [
      String(Math.ceil(ttls)),
      this.#limits()[1]!,
      ...[...fields].flatMap(([field, [value, at]]) => [field, value, at]),
    ]);
  }

  /** Estimates the server's time, in microseconds. */
  #now(): string {
    return String(Date.now() * 1_000);
  }
}
