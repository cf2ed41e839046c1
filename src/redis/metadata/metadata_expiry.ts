import type { RedisNode } from "../redis_node.ts";
import type { MetadataCache } from "./metadata_cache.ts";
import { SESSIONS_PER_COMMAND } from "../connection/command_size.ts";
import { LEFT } from "./metadata_scripts.ts";

/** Finds sessions of this node's cache that have expired in Redis. */
export class MetadataExpiry {
  readonly #redisNode: RedisNode;
  readonly #cache: MetadataCache;
  readonly #ttlMs: number;
  readonly #onExpired: (id: string) => void;
  #isChecking = false;

  /**
   * @param redisNode The server.
   * @param cache What this node knows of sessions.
   * @param ttlMs How long an unused session is kept, in milliseconds.
   * @param onExpired Called with each session that has expired.
   */
  constructor(
    redisNode: RedisNode,
    cache: MetadataCache,
    ttlMs: number,
    onExpired: (id: string) => void,
  ) {
    this.#redisNode = redisNode;
    this.#cache = cache;
    this.#ttlMs = ttlMs;
    this.#onExpired = onExpired;
  }

  /** Checks the sessions that this node has not used for long. */
  run(now: number): void {
    const { connection } = this.#redisNode;
    const idle = this.#idle(now);
    if (this.#isChecking || idle.length === 0) return;
    this.#isChecking = true;
    this.#checkAll(idle, now).catch((error) => connection.report(error))
      .finally(() => this.#isChecking = false);
  }

  /** Returns sessions to check, as many as one command checks. */
  #idle(now: number): string[] {
    return this.#redisNode.connection.isDown
      ? []
      : this.#cache.idle(now - this.#ttlMs, SESSIONS_PER_COMMAND);
  }

  /** Checks these sessions, and then the others, however many there are. */
  async #checkAll(first: string[], now: number): Promise<void> {
    for (let ids = first; ids.length > 0; ids = this.#idle(now)) {
      await this.#check(ids, now);
    }
  }

  async #check(ids: readonly string[], now: number): Promise<void> {
    const { connection, keys } = this.#redisNode;
    const ttls = await connection.evaluate(
      LEFT,
      keys.logState,
      [keys.sessions, ...ids],
    ) as number[];
    for (const [index, id] of ids.entries()) {
      const ms = Number(ttls[index]);
      if (ms > 0) this.#cache.touch(id, now - this.#ttlMs + ms);
      else if (this.#cache.has(id)) this.#onExpired(id);
    }
  }
}
