import { ClusterError, SessionLimitError } from "../errors.ts";
import { periodFor, type Watcher } from "../in_memory/ticker.ts";
import type { Registration } from "../in_memory/session_records.ts";
import type { InfoField, InfoStore } from "../cluster/info_store.ts";
import type { Backend, Part } from "./backend.ts";
import { InfoCache } from "./info_cache.ts";
import * as scripts from "./info_scripts.ts";
import { isOutage } from "./outage.ts";

/** How fields are called in Redis, where each letter counts. */
const NAMES = {
  clientInfo: "c",
  clientCapabilities: "b",
  logLevel: "l",
} satisfies Record<InfoField, string>;
/** How many sessions are looked at by one command. */
const CHUNK = 1_000;

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
  readonly #late: Map<string, () => Promise<unknown>> = new Map();
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
    const [owner, since] = await this.#orLater(`${id} r`, register) ??
      [this.#cache.get(id, "r") ?? value];
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
      if (owner !== "") this.#note(id, "r", owner, at);
      if (since !== "") this.#note(id, "n", since, at);
    } catch (error) {
      owner = this.#known(error, id, "r");
      since = this.#cache.get(id, "n");
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
      [String(ttlMs)],
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
    await this.#orLater(`${id} `, remove);
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
    void this.#writeAgain(isEmpty).catch((error) =>
      this.#backend.connection.report(error)
    );
  }

  /** Forgets what this node knows. */
  close(): void {
    this.#backend.node.ticker.stop(this);
    this.#cache.clear();
    this.#late.clear();
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
    const at = await this.#orLater(`${id} ${field}`, write);
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
    key: string,
    act: () => Promise<Result>,
  ): Promise<Result | undefined> {
    try {
      const result = await act();
      this.#late.delete(key);
      return result;
    } catch (error) {
      if (!isOutage(error)) throw error;
      // In the order in which they were done.
      this.#late.delete(key);
      this.#late.set(key, act);
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
    const value = this.#cache.get(id, field);
    if (value !== undefined || this.#cache.has(id)) return value;
    throw new ClusterError(
      "Nothing can be said of the session: Redis is out of reach.",
      { cause: error },
    );
  }

  #forget(id: string): void {
    this.#cache.delete(id);
    for (const key of this.#late.keys()) {
      if (key.startsWith(`${id} `)) this.#late.delete(key);
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

  async #writeAgain(isEmpty: boolean): Promise<void> {
    const late = [...this.#late];
    this.#late.clear();
    for (const [key, act] of late) {
      await this.#orLater(key, act);
    }
    if (!isEmpty) return;
    const now = this.#backend.node.ticker.now();
    for (const [id, { fields, usedAt }] of this.#cache.entries()) {
      const left = this.#options.ttlMs - (now - usedAt);
      if (left <= 0) continue;
      await this.#run(scripts.RESTORE, id, [
        String(Math.ceil(left)),
        ...[...fields].flatMap(([field, [value, at]]) => [field, value, at]),
      ]);
    }
  }

  /** About what the server's clock says, in microseconds. */
  #now(): string {
    return String(Date.now() * 1_000);
  }
}
