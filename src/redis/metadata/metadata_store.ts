import { ClusterError, SessionLimitError } from "../../errors.ts";
import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import { periodFor, type Watcher } from "../../runtime/scheduler.ts";
import type { Registration } from "../../metadata/session_records.ts";
import type {
  InfoField,
  InfoStore,
} from "../../cluster/metadata/metadata_store.ts";
import type { Backend, Part } from "../redis_node.ts";
import { inChunks } from "../connection/chunks.ts";
import { type CachedSession, InfoCache } from "./metadata_cache.ts";
import * as scripts from "./metadata_scripts.ts";
import { isOutage } from "../connection/redis_errors.ts";

/** How fields are called in Redis, where each letter counts. */
const NAMES = {
  clientInfo: "c",
  clientCapabilities: "b",
  logLevel: "l",
} satisfies Record<InfoField, string>;
/** How many sessions are looked at by one command. */
const CHUNK = 1_000;

/** Whether a field of a session is metadata, and not where it is. */
function isInfo(name: string): boolean {
  return name.length === 1 ? "cblrn".includes(name) : name.startsWith("u:");
}

/** What is asked of an {@linkcode RedisInfoStore}. */
export interface RedisInfoStoreOptions {
  /** How long a session is kept that nobody uses, in milliseconds. */
  readonly ttlMs: number;
  readonly maxSessions: number;
  /** Resolves when what was sent before is in the log; absent without one. */
  readonly flushed: (() => Promise<void>) | undefined;
}

/**
 * The metadata of sessions in Redis. During an outage it is what this node knows,
 * and what is written then is written again after it.
 */
export class RedisInfoStore implements InfoStore, Part, Watcher {
  readonly periodMs: number;
  readonly #backend: Backend;
  readonly #options: RedisInfoStoreOptions;
  readonly #cache = new InfoCache();
  /** What is to be written when Redis is back, by session and field. */
  readonly #late: Map<string, Map<string, () => Promise<unknown>>> = new Map();
  /** Sessions that Redis has lost, and was not told again. */
  readonly #lost: Set<string> = new Set();
  /** Sessions that came here, of which this node may not know all. */
  #came: Set<string> = new Set();
  #expired = 0;
  #isLooking = false;

  constructor(backend: Backend, options: RedisInfoStoreOptions) {
    this.#backend = backend;
    this.#options = options;
    this.periodMs = periodFor(options.ttlMs);
    backend.add(this);
    backend.node.handle("record", ({ id, deleted }) => {
      if (deleted !== undefined) this.#forget(id);
    });
  }

  get expired(): number {
    return this.#expired;
  }

  write(id: string, field: InfoField, value: string | null): Promise<void> {
    return this.#write(id, NAMES[field], value);
  }

  subscribe(id: string, uri: string): Promise<void> {
    return this.#write(id, `u:${uri}`, "");
  }

  unsubscribe(id: string, uri: string): Promise<void> {
    return this.#write(id, `u:${uri}`, null);
  }

  async read(id: string, name: InfoField): Promise<string | undefined> {
    const field = NAMES[name];
    try {
      const [value, at] = await this.#backend.connection.evaluate(
        scripts.READ,
        this.#backend.keys.sessions + id,
        [field, String(this.#options.ttlMs)],
      ) as [string | null, string];
      if (value === null && this.#isRestoring(id)) {
        return this.#remembered(id, field);
      }
      this.#note(id, field, value, at);
      return value ?? undefined;
    } catch (error) {
      return this.#known(error, id, field);
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
    const [owner, since] = await this.#orLater(id, "r", register) ??
      [this.#cache.field(id, "r") ?? value];
    if (owner === "") throw new SessionLimitError(this.#options.maxSessions);
    this.#note(id, "r", owner, this.#now());
    if (since) this.#note(id, "n", since, this.#now());
    return owner === value;
  }

  async registration(id: string): Promise<Registration | undefined> {
    let owner: string | undefined;
    let since: string | undefined;
    try {
      let at: string;
      [owner, since, at] = await this.#backend.connection.evaluate(
        scripts.PEEK,
        this.#backend.keys.sessions + id,
        ["r", "n"],
      ) as [string, string, string];
      if (owner === "" && this.#isRestoring(id)) {
        owner = this.#remembered(id, "r");
        since = this.#cache.field(id, "n");
      } else if (owner !== "") this.#note(id, "r", owner, at);
      if (since) this.#note(id, "n", since, at);
    } catch (error) {
      owner = this.#known(error, id, "r");
      since = this.#cache.field(id, "n");
    }
    if (!owner) return undefined;
    const principal = owner === "-" ? undefined : owner.slice(1);
    return { principal, since: since || undefined };
  }

  touch(id: string): void {
    const now = this.#backend.node.ticker.now();
    const { ttlMs } = this.#options;
    if (!this.#cache.touch(id, now, ttlMs / 10)) return;
    this.#backend.connection.evaluate(
      scripts.TOUCH,
      this.#backend.keys.sessions + id,
      // For as long as it is not told again.
      [String(Math.ceil(ttlMs * 1.1))],
    ).catch((error) => this.#backend.connection.report(error));
  }

  async subscribedTo(uri: string): Promise<string[]> {
    const { connection, keys } = this.#backend;
    const field = `u:${uri}`;
    try {
      return await connection.evaluate(
        scripts.SUBSCRIBED,
        keys.resources + uri,
        [keys.all, field],
      ) as string[];
    } catch (error) {
      if (!isOutage(error)) throw error;
      return this.#cache.with(field);
    }
  }

  async delete(id: string): Promise<void> {
    this.#forget(id);
    const { node } = this.#backend;
    const deleted = node.clock.next();
    node.tellAll({ kind: "record", id, fields: [], deleted });
    const remove = () => this.#run(scripts.DELETE, id, []);
    await this.#orLater(id, "", remove);
  }

  /** Learns what others have written of sessions that are here now. */
  claimed(ids: Iterable<string>): void {
    const isScheduled = this.#came.size > 0;
    for (const id of ids) this.#came.add(id);
    if (isScheduled || this.#came.size === 0) return;
    atEndOfTurn(() => {
      const came = [...this.#came];
      this.#came = new Set();
      this.#recall(came).catch((error) =>
        this.#backend.connection.report(error)
      );
    });
  }

  tick(now: number): void {
    if (this.#isLooking || this.#backend.connection.isDown) return;
    const idle = this.#cache.idle(now - this.#options.ttlMs, CHUNK);
    if (idle.length === 0) return;
    this.#isLooking = true;
    this.#lookAt(idle, now).catch((error) =>
      this.#backend.connection.report(error)
    ).finally(() => this.#isLooking = false);
  }

  back(isEmpty: boolean): void {
    if (isEmpty) {
      for (const id of this.#cache.ids()) this.#lost.add(id);
    }
    void this.#writeAgain().catch((error) =>
      this.#backend.connection.report(error)
    );
  }

  /** Forgets what this node knows. */
  close(): void {
    this.#backend.node.ticker.stop(this);
    this.#cache.clear();
    this.#late.clear();
    this.#lost.clear();
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
    const at = await this.#orLater(id, field, write);
    if (at === "") throw new SessionLimitError(this.#options.maxSessions);
    this.#note(id, field, value, at ?? this.#now());
  }

  #run(
    script: (typeof scripts)[keyof typeof scripts],
    id: string,
    args: readonly string[],
  ): Promise<unknown> {
    const { connection, keys } = this.#backend;
    const key = keys.sessions + id;
    return connection.evaluate(script, key, [keys.all, id, ...args]);
  }

  /** Does something now, or when Redis is back; `undefined` if it is not yet done. */
  async #orLater<Result>(
    id: string,
    field: string,
    act: () => Promise<Result>,
  ): Promise<Result | undefined> {
    // What was to be done later is done with.
    const late = this.#late.get(id);
    late?.delete(field);
    if (late?.size === 0) this.#late.delete(id);
    try {
      return await act();
    } catch (error) {
      if (!isOutage(error)) throw error;
      const later = this.#late.get(id) ?? new Map();
      // In the order in which they were done.
      later.delete(field);
      this.#late.set(id, later.set(field, act));
      return undefined;
    }
  }

  #note(id: string, field: string, value: string | null, at: string): void {
    const { ticker } = this.#backend.node;
    ticker.start(this);
    this.#cache.set(id, field, value, at, ticker.now());
  }

  /** What is known here, during an outage. */
  #known(error: unknown, id: string, field: string): string | undefined {
    if (!isOutage(error)) throw error;
    return this.#remembered(id, field);
  }

  /** Whether Redis is still being told of a session again, here or by others. */
  #isRestoring(id: string): boolean {
    return this.#lost.has(id) || this.#backend.isWaiting;
  }

  /**
   * What this node has seen of a session.
   *
   * @throws {ClusterError} When it has seen nothing of it.
   */
  #remembered(id: string, field: string): string | undefined {
    const value = this.#cache.field(id, field);
    if (value !== undefined || this.#cache.has(id)) return value;
    throw new ClusterError(
      "Nothing can be said of the session: Redis is out of reach, or is being " +
        "told again what it has lost.",
    );
  }

  #forget(id: string): void {
    this.#cache.delete(id);
    this.#late.delete(id);
  }

  async #recall(ids: readonly string[]): Promise<void> {
    const { connection, keys } = this.#backend;
    for (const some of inChunks(ids, CHUNK)) {
      const sessions = await connection.evaluate(
        scripts.RECALL,
        keys.log,
        [keys.sessions, ...some],
      ) as [...string[][], string];
      const at = sessions.pop() as string;
      for (const [index, id] of some.entries()) {
        const fields = sessions[index] as string[];
        for (let each = 0; each < fields.length; each += 2) {
          const name = fields[each]!;
          if (isInfo(name)) this.#note(id, name, fields[each + 1]!, at);
        }
      }
    }
  }

  async #lookAt(ids: readonly string[], now: number): Promise<void> {
    const { connection, keys } = this.#backend;
    const left = await connection.evaluate(
      scripts.LEFT,
      keys.log,
      [keys.sessions, ...ids],
    ) as number[];
    for (const [index, id] of ids.entries()) {
      const ms = Number(left[index]);
      if (ms > 0) this.#cache.use(id, now - this.#options.ttlMs + ms);
      else if (this.#cache.has(id)) {
        this.#forget(id);
        this.#expired++;
      }
    }
  }

  async #writeAgain(): Promise<void> {
    for (const [id, late] of [...this.#late]) {
      for (const [field, act] of [...late]) {
        // Unless something newer was done meanwhile.
        const isDue = this.#late.get(id)?.get(field) === act;
        if (isDue) await this.#orLater(id, field, act);
      }
    }
    const now = this.#backend.node.ticker.now();
    // An outage may cut it off: it goes on after that.
    for (const some of inChunks([...this.#lost], 100)) {
      await Promise.all(some.map(async (id) => {
        const session = this.#cache.get(id);
        const used = session?.usedAt ?? -Infinity;
        const left = this.#options.ttlMs - (now - used);
        if (session !== undefined && left > 0) {
          await this.#restore(id, session, left);
        }
        this.#lost.delete(id);
      }));
    }
  }

  async #restore(
    id: string,
    { fields }: CachedSession,
    left: number,
  ): Promise<void> {
    await this.#run(scripts.RESTORE, id, [
      String(Math.ceil(left)),
      this.#limits()[1]!,
      ...[...fields].flatMap(([field, [value, at]]) => [field, value, at]),
    ]);
  }

  /** About what the server's clock says, in microseconds. */
  #now(): string {
    return String(Date.now() * 1_000);
  }
}
