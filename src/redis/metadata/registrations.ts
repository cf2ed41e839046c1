import type { SessionEndReason } from "../../contracts/options.ts";
import { formatValue } from "../../format_value.ts";
import { inChunks } from "../../runtime/chunks.ts";
import { ClusterError } from "../../errors.ts";
import type { StoredSummary } from "../../metadata/metadata_store.ts";
import { SessionEvents } from "../../metadata/session_events.ts";
import type { Script } from "../connection/script.ts";
import type { RedisNode } from "../redis_node.ts";
import type { KnownSessions } from "./known_sessions.ts";
import type { MetadataCache } from "./metadata_cache.ts";
import {
  limitArguments,
  type MetadataLimits,
  refusedRegistration,
} from "./metadata_limits.ts";
import type { MetadataRestorer } from "./metadata_restorer.ts";
import { DELETE, REGISTER, UNLIST } from "./metadata_scripts.ts";
import { ENDED, type PendingWrites } from "./pending_writes.ts";
import {
  describeSessions,
  principalField,
  sessionPages,
} from "./principal_pages.ts";

/** How many sessions are removed at once. */
const CONCURRENCY = 500;

/** What {@linkcode Registrations} needs. */
export interface RegistrationsParts {
  readonly redisNode: RedisNode;
  readonly limits: MetadataLimits;
  /** Resolves when what was sent before is in the log, if there is one. */
  readonly flushed: (() => Promise<void>) | undefined;
  readonly cache: MetadataCache;
  readonly pendingWrites: PendingWrites;
  readonly known: KnownSessions;
  readonly restorer: MetadataRestorer;
  /** Stores a field in the cache. */
  readonly cachePut: (id: string, field: string, value: string) => void;
}

/**
 * The beginning and the end of sessions. The node that removes a session from
 * those of its principal reports that it ended, so that each is reported once.
 */
export class Registrations {
  readonly events: SessionEvents = new SessionEvents();
  readonly #parts: RegistrationsParts;

  /** @param parts The store. */
  constructor(parts: RegistrationsParts) {
    this.#parts = parts;
  }

  /** See `MetadataStore.register`. */
  async register(
    id: string,
    principal: string | undefined,
  ): Promise<boolean> {
    const { flushed, limits, cache, pendingWrites, known, cachePut } =
      this.#parts;
    await flushed?.();
    const value = principalField(principal);
    const register = () =>
      this.#run(REGISTER, id, [
        ...limitArguments(limits),
        value,
        flushed === undefined ? "" : "log",
      ]) as Promise<[string, string?, string?, ...string[]]>;
    const isKnown = cache.field(id, "r") !== undefined;
    const now = String(this.#parts.redisNode.clock.now());
    const [owner, startEventId, startedAt = isKnown ? "" : now, ...expired] =
      await pendingWrites.runOrQueue(id, "r", register) ??
        [cache.field(id, "r") ?? value];
    if (owner === "") {
      this.#onExpired(expired);
      throw refusedRegistration(startEventId, limits);
    }
    known.onBegin(id);
    cachePut(id, "r", owner);
    // It has just begun: nothing else is stored of it.
    if (owner === value) cache.complete(id);
    if (startEventId) cachePut(id, "n", startEventId);
    if (startedAt !== "") {
      cachePut(id, "w", startedAt);
      this.events.begun(id, principal);
    }
    this.#onExpired(expired);
    return owner === value;
  }

  /** See `MetadataStore.delete`. */
  async delete(id: string, reason: SessionEndReason): Promise<boolean> {
    const { redisNode: { node }, cache, pendingWrites, known } = this.#parts;
    const wasKnown = cache.field(id, "r") !== undefined;
    const cachedStart = cache.field(id, "w");
    known.onEnd(id, true);
    if (reason === "ended") this.events.gone(id);
    const deleted = node.clock.next();
    node.broadcast({ kind: "metadata", id, fields: [], deleted, reason });
    const result = await pendingWrites.runOrQueue(
      id,
      ENDED,
      () => this.#run(DELETE, id, []) as Promise<[number, string]>,
    );
    const [removed, startedAt = cachedStart] = result ?? [];
    // During an outage, other nodes may report it as well.
    const wasThere = result === undefined ? wasKnown : Number(removed) === 1;
    if (wasThere) this.#onEnded(id, reason, startedAt);
    if (reason !== "ended") return wasThere;
    if (result === undefined) throw unavailable(id);
    await node.flushed();
    return wasThere;
  }

  /** Called when another node has ended a session. */
  onEndedElsewhere(id: string, reason: SessionEndReason | undefined): void {
    const { redisNode, restorer, known } = this.#parts;
    known.onEnd(id, false);
    if (reason === "ended") this.events.gone(id);
    // This node may have restored it after the other one had removed it.
    if (redisNode.isSettling || restorer.hasRestored(id)) this.#repeatEnd(id);
  }

  /**
   * Removes the sessions again that this node has ended: Redis may have come back
   * from an older state.
   */
  async repeatEnds(): Promise<void> {
    const ids = this.#parts.known.recentlyEnded();
    for (const chunk of inChunks(ids, CONCURRENCY)) {
      await Promise.all(chunk.map((id) => this.#run(DELETE, id, [])));
    }
  }

  /**
   * Returns whether a session that Redis knows has ended. Removes it again then.
   */
  hasEnded(id: string, startedAt: string): boolean {
    if (!this.#parts.known.hasEnded(id, startedAt)) return false;
    this.#repeatEnd(id);
    return true;
  }

  /**
   * Called with a session that has expired, and what the cache had of it.
   *
   * @param field The field of its principal.
   * @param startedAt When it began, in microseconds of the server.
   */
  async expire(
    id: string,
    field: string,
    startedAt: string | undefined,
  ): Promise<void> {
    const removed = await this.#run(UNLIST, id, [field]);
    if (Number(removed) === 1) this.#onEnded(id, "expired", startedAt);
  }

  /** See `MetadataStore.pages`. */
  pages(principal?: string): AsyncIterable<readonly string[]> {
    return sessionPages(
      this.#parts.redisNode,
      principal,
      (ids) => this.#onExpired(ids),
    );
  }

  /** See `MetadataStore.describe`. */
  describe(
    ids: readonly string[],
  ): Promise<readonly (StoredSummary | undefined)[]> {
    const { redisNode, limits } = this.#parts;
    return describeSessions(redisNode, ids, limits.ttlMs);
  }

  #repeatEnd(id: string): void {
    const { connection } = this.#parts.redisNode;
    this.#run(DELETE, id, []).catch((error) => connection.report(error));
  }

  #onExpired(ids: readonly string[]): void {
    const { cache } = this.#parts;
    for (const id of ids) this.#onEnded(id, "expired", cache.field(id, "w"));
  }

  /** Reports the end of a session, and when it began, if that is known. */
  #onEnded(
    id: string,
    reason: SessionEndReason,
    startedAt: string | undefined,
  ): void {
    const { clock } = this.#parts.redisNode;
    const durationMs = startedAt
      ? (clock.now() - Number(startedAt)) / 1_000
      : undefined;
    this.events.ended(id, reason, durationMs);
  }

  #run(script: Script, id: string, args: readonly string[]): Promise<unknown> {
    const { connection, keys } = this.#parts.redisNode;
    const key = keys.sessions + id;
    return connection.evaluate(script, key, [keys.prefix, id, ...args]);
  }
}

function unavailable(id: string): ClusterError {
  return new ClusterError(
    `Session ${formatValue(id)} has ended on this node, but Redis is ` +
      "unavailable, so other nodes don't know. They will when it is back. " +
      "Call `end` again then: others of the same principal may be left.",
  );
}
