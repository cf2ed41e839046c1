import { inChunks } from "../../runtime/chunks.ts";
import type { RedisNode } from "../redis_node.ts";
import type { MetadataCache } from "./metadata_cache.ts";
import { limitArgument, type MetadataLimits } from "./metadata_limits.ts";
import { RESTORE } from "./metadata_scripts.ts";

/** How many sessions are restored at once. */
const CONCURRENCY = 100;

/**
 * Writes the sessions of this node's cache to Redis again after Redis has lost
 * its data.
 */
export class MetadataRestorer {
  readonly #redisNode: RedisNode;
  readonly #cache: MetadataCache;
  readonly #limits: MetadataLimits;
  readonly #lost: Set<string> = new Set();
  /** The sessions that were restored since Redis has lost its data. */
  readonly #restored: Set<string> = new Set();

  /**
   * @param redisNode The server.
   * @param cache What this node knows of sessions.
   * @param limits The limits of the store.
   */
  constructor(
    redisNode: RedisNode,
    cache: MetadataCache,
    limits: MetadataLimits,
  ) {
    this.#redisNode = redisNode;
    this.#cache = cache;
    this.#limits = limits;
  }

  /** Called when Redis has lost all sessions. */
  onDataLost(): void {
    this.#restored.clear();
    for (const id of this.#cache.ids()) this.#lost.add(id);
  }

  /** Returns whether a session may still be restored, by this node or others. */
  isRestoring(id: string): boolean {
    return this.#lost.has(id) || this.#redisNode.isRecovering;
  }

  /** Restores sessions. If an outage interrupts it, call it again afterwards. */
  async restore(): Promise<void> {
    const now = this.#redisNode.node.scheduler.now();
    for (const chunk of inChunks([...this.#lost], CONCURRENCY)) {
      await Promise.all(chunk.map(async (id) => {
        this.#restored.add(id);
        await this.#restore(id, now);
        this.#lost.delete(id);
      }));
    }
  }

  /** Restores a session that Redis has evicted. */
  async restoreOne(id: string): Promise<void> {
    await this.#restore(id, this.#redisNode.node.scheduler.now());
  }

  /** Returns whether this node has restored a session. */
  hasRestored(id: string): boolean {
    return this.#restored.has(id);
  }

  /** Restores nothing any more. */
  clear(): void {
    this.#restored.clear();
    this.#lost.clear();
  }

  async #restore(id: string, now: number): Promise<void> {
    const session = this.#cache.get(id);
    if (session === undefined) return;
    const { ttlMs, maxSessions } = this.#limits;
    const remainingMs = ttlMs - (now - session.lastUsedAt);
    if (remainingMs <= 0) return;
    const { connection, keys } = this.#redisNode;
    await connection.evaluate(RESTORE, keys.sessions + id, [
      keys.prefix,
      id,
      String(Math.ceil(remainingMs)),
      limitArgument(maxSessions),
      ...[...session.fields].flatMap(([field, [value, at]]) => [
        field,
        value,
        at,
      ]),
    ]);
  }
}
