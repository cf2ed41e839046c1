import { ClusterError } from "../../errors.ts";
import { LruMap } from "../../runtime/lru_map.ts";
import { isTransientError } from "../connection/redis_errors.ts";
import type { RedisNode } from "../redis_node.ts";
import { AbsentNodes } from "./absent_nodes.ts";
import type { MetadataCache } from "./metadata_cache.ts";
import type { MetadataRestorer } from "./metadata_restorer.ts";
import type { PendingWrites } from "./pending_writes.ts";

/** How many ended sessions are remembered. */
const MAX_ENDED = 10_000;
/** The oldest state that Redis may come back from, in microseconds. */
const RECENT_US = 300_000_000;

/** The end of a session. */
interface Ended {
  /** When, in microseconds of the server. */
  readonly at: number;
  /** Whether this node has ended it. */
  readonly isOwn: boolean;
}

/** What a {@linkcode KnownSessions} is made of. */
export interface KnownSessionsParts {
  readonly redisNode: RedisNode;
  readonly cache: MetadataCache;
  readonly pendingWrites: PendingWrites;
  readonly restorer: MetadataRestorer;
  /** Returns whether a session has a stream on this node. */
  readonly isAttached?: ((id: string) => boolean) | undefined;
}

/** What this node knows of sessions when Redis cannot tell. */
export class KnownSessions {
  readonly #parts: KnownSessionsParts;
  readonly #absentNodes: AbsentNodes;
  /** Sessions that are known to have ended, the latest last. */
  readonly #ended: LruMap<string, Ended> = new LruMap(MAX_ENDED);

  /** @param parts Where to look. */
  constructor(parts: KnownSessionsParts) {
    this.#parts = parts;
    this.#absentNodes = new AbsentNodes(parts.redisNode);
  }

  /** Returns a field of a session during an outage. */
  fromCache(error: unknown, id: string, field: string): string | undefined {
    if (!isTransientError(error)) throw error;
    return this.cachedField(id, field);
  }

  /**
   * Returns a field from the cache.
   *
   * @throws {ClusterError} If this node has not seen it.
   */
  cachedField(id: string, field: string): string | undefined {
    const { cache } = this.#parts;
    if (cache.knows(id, field)) return cache.field(id, field);
    if (this.#ended.has(id)) return undefined;
    throw cannotLookUp();
  }

  /** Returns whether a session exists, although Redis does not have it. */
  isEvicted(id: string): boolean {
    const { isAttached, cache } = this.#parts;
    return isAttached?.(id) === true && !this.#ended.has(id) &&
      cache.field(id, "r") !== undefined;
  }

  /** Returns whether a session that Redis does not know may exist. */
  isUncertain(id: string): boolean {
    const { pendingWrites, restorer, redisNode } = this.#parts;
    return pendingWrites.has(id, "r") || restorer.isRestoring(id) ||
      redisNode.isSettling;
  }

  /**
   * Checks that a session that Redis does not know is unknown to all nodes.
   *
   * @throws {ClusterError} If a node that is cut off may have begun it.
   */
  assertUnknown(id: string): void {
    const isSeen = this.#parts.cache.knows(id, "r") || this.#ended.has(id);
    if (!isSeen && this.#absentNodes.mayHaveSessions) throw cannotLookUp();
  }

  /** Called when a session has begun. */
  onBegin(id: string): void {
    this.#ended.delete(id);
  }

  /**
   * Called when a session has ended.
   *
   * @param id The session ID.
   * @param isOwn Whether this node has ended it.
   */
  onEnd(id: string, isOwn: boolean): void {
    this.forget(id);
    const at = this.#parts.redisNode.clock.now();
    this.#ended.set(id, { at, isOwn });
  }

  /**
   * Returns whether a session that Redis knows has ended, because Redis came
   * back from an older state.
   *
   * @param id The session ID.
   * @param startedAt When it began, in microseconds of the server.
   */
  hasEnded(id: string, startedAt: string): boolean {
    const ended = this.#ended.get(id);
    return ended !== undefined && startedAt !== "" &&
      Number(startedAt) < ended.at;
  }

  /** Sessions that this node has ended recently. */
  recentlyEnded(): string[] {
    const since = this.#parts.redisNode.clock.now() - RECENT_US;
    return [...this.#ended].flatMap(([id, { at, isOwn }]) =>
      isOwn && at > since ? id : []
    );
  }

  /** Forgets what is stored of a session. */
  forget(id: string): void {
    this.#parts.cache.delete(id);
    this.#parts.pendingWrites.delete(id);
  }

  /** Forgets all ended sessions. */
  clear(): void {
    this.#ended.clear();
  }
}

function cannotLookUp(): ClusterError {
  return new ClusterError(
    "The session cannot be looked up: Redis is unavailable, or was until a " +
      "moment ago, or has lost its data, or another node is cut off. Try " +
      "again later.",
  );
}
