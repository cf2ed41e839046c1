import { checkPeriodFor, type PeriodicTask } from "../../runtime/scheduler.ts";
import { groupByNode } from "../../cluster/directory/by_node.ts";
import type { ClusterNode } from "../../cluster/membership/cluster_node.ts";
import type {
  OwnerInfo,
  SessionDirectory,
} from "../../cluster/directory/session_directory.ts";
import type { RedisNode } from "../redis_node.ts";
import { inChunks } from "../../runtime/chunks.ts";
import { SESSIONS_PER_COMMAND } from "../connection/command_size.ts";
import type { RedisConnection } from "../connection/connection.ts";
import { ClaimAnnouncements } from "./claim_announcements.ts";
import { CLAIM, KEEP } from "./owner_scripts.ts";
import type { RedisKeys } from "../connection/keys.ts";
import {
  newOwnedSession,
  type OwnedSession,
  stateOf,
} from "./owned_session.ts";
import { nodeOf, OwnerLookup } from "./owner_lookup.ts";
import { PendingReleases } from "./pending_releases.ts";

/**
 * A directory in Redis: the owner of a session is stored with its metadata.
 * Each node also remembers its own sessions, and restores them if Redis has
 * lost them.
 */
export class RedisSessionDirectory implements SessionDirectory, PeriodicTask {
  readonly isComplete: boolean = true;
  readonly periodMs: number;
  readonly #redisNode: RedisNode;
  readonly #node: ClusterNode;
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #ttlMs: number;
  readonly #onClaimed: (id: string, wasHere: boolean) => void;
  readonly #nodeKeyId: string;
  readonly #owned: Map<string, OwnedSession> = new Map();
  readonly #releases: PendingReleases;
  readonly #announcements: ClaimAnnouncements;
  readonly #lookup: OwnerLookup;
  #renewedAt = 0;

  /**
   * @param redisNode The server, and this node.
   * @param ttlMs How long an unused session is kept, in milliseconds.
   * @param onClaimed Called with each session that another node has claimed.
   */
  constructor(
    redisNode: RedisNode,
    ttlMs: number,
    onClaimed: (id: string, wasHere: boolean) => void,
  ) {
    const { node, connection, keys, nodeKeyId } = redisNode;
    this.#redisNode = redisNode;
    this.#node = node;
    this.#connection = connection;
    this.#keys = keys;
    this.#ttlMs = ttlMs;
    this.#onClaimed = onClaimed;
    this.#nodeKeyId = nodeKeyId;
    this.#lookup = new OwnerLookup(redisNode);
    this.#releases = new PendingReleases(redisNode, (id) => this.isLocal(id));
    this.#announcements = new ClaimAnnouncements(node);
    this.periodMs = checkPeriodFor(ttlMs);
    redisNode.components.add({
      onReconnected: () => {
        this.#releases.flush();
        void this.renewLeases(true);
      },
      onEvicted: (id) => void this.renewLeases(false, [id]),
      close: () => {
        node.scheduler.stop(this);
        this.#owned.clear();
      },
    });
    // What only that node knew of them is now in Redis only.
    node.listen({
      onPeerDown: () => redisNode.components.claimed(this.#owned.keys()),
    });
    node.handle("owners", ({ owners }) => {
      for (const [id, [at]] of owners) this.#onReplaced(id, at);
    });
  }

  async claim(id: string): Promise<string | undefined> {
    const own = newOwnedSession();
    this.#owned.set(id, own);
    this.#node.scheduler.start(this);
    try {
      const [at, previousOwner] = await this.#connection.evaluate(
        CLAIM,
        this.#keys.sessions + id,
        [this.#nodeKeyId, String(this.#ttlMs)],
      ) as [string, string];
      this.#claimed(id, own, Number(at));
      this.#redisNode.components.claimed([id]);
      return this.#announceClaim(previousOwner, id, Number(at));
    } catch (error) {
      own.claimToken ??= this.#redisNode.clock.now();
      this.#connection.report(error);
      this.#redisNode.components.claimFailed(id);
      // It is claimed again when the server is back. It may be back already.
      if (!this.#connection.isWaiting) void this.renewLeases(true);
      return undefined;
    }
  }

  detach(id: string): void {
    const own = this.#owned.get(id);
    if (own === undefined) return;
    own.isDetached = true;
    this.#release("p", id, own);
  }

  release(id: string): void {
    const own = this.#owned.get(id);
    if (own === undefined) return;
    this.#owned.delete(id);
    this.#release("r", id, own);
    if (this.#owned.size === 0) this.#node.scheduler.stop(this);
  }

  isLocal(id: string): boolean {
    return this.#owned.has(id);
  }

  /** Returns the sessions that this node owns. */
  localIds(): Iterable<string> {
    return this.#owned.keys();
  }

  /** See `LocalSessions.claimedAt`. */
  claimedAt(id: string): number | undefined {
    const own = this.#owned.get(id);
    return own?.isConfirmed ? own.claimToken : undefined;
  }

  /** Returns whether a session has a stream on this node. */
  isAttached(id: string): boolean {
    return this.#owned.get(id)?.isDetached === false;
  }

  async findOwner(id: string): Promise<OwnerInfo | undefined> {
    const own = this.#owned.get(id);
    if (own !== undefined) {
      return {
        node: this.#node.name,
        isDetached: own.isDetached,
        isDown: false,
      };
    }
    try {
      const { owner, isDetached } = await this.#lookup.find(id);
      const ownerNode = nodeOf(owner);
      // Released, but not in Redis yet; or owned by an earlier node of this
      // name.
      if (ownerNode === undefined || ownerNode.name === this.#node.name) {
        return undefined;
      }
      const isDown = !this.#node.isAlive(ownerNode.name, ownerNode.incarnation);
      return { node: ownerNode.name, isDetached, isDown };
    } catch (error) {
      this.#connection.report(error);
      return undefined;
    }
  }

  async groupByOwner(
    ids: Iterable<string>,
  ): Promise<ReadonlyMap<string, string[]>> {
    const elsewhere = [...ids].filter((id) =>
      typeof id === "string" && !this.#owned.has(id)
    );
    if (elsewhere.length === 0) return new Map();
    try {
      const ownersById = await this.#lookup.locate(elsewhere);
      const nodes = new Map(
        elsewhere.map((id, index) => [id, nodeOf(ownersById[index]!)?.name]),
      );
      return groupByNode(nodes.keys(), (id) => {
        const node = nodes.get(id);
        return node === this.#node.name ? undefined : node;
      });
    } catch (error) {
      this.#connection.report(error);
      return new Map();
    }
  }

  flushed(): Promise<void> {
    return this.#releases.flushed();
  }

  run(now: number): void {
    if (now - this.#renewedAt < this.#ttlMs / 3) return;
    this.#renewedAt = now;
    void this.renewLeases(false);
  }

  /**
   * Renews the leases of this node's sessions.
   *
   * @param isBack Whether Redis may have lost them all.
   * @param ids Only these sessions.
   */
  async renewLeases(
    isBack: boolean,
    ids: Iterable<string> = this.#owned.keys(),
  ): Promise<void> {
    const { prefix, logState } = this.#keys;
    const own: [string, OwnedSession][] = [];
    for (const id of ids) {
      const session = this.#owned.get(id);
      if (session?.claimToken !== undefined) own.push([id, session]);
    }
    const kept = inChunks(own, SESSIONS_PER_COMMAND).map(async (some) => {
      const [lost, claimed] = await this.#connection.evaluate(KEEP, logState, [
        prefix,
        this.#nodeKeyId,
        String(this.#ttlMs),
        ...some.flatMap(([id, own]) => [
          id,
          String(own.claimToken),
          stateOf(own, isBack),
        ]),
      ]) as [string[], string[]];
      const ownById = new Map(some);
      this.#dropAll(lost, ownById);
      const evicted: string[] = [];
      for (let at = 0; at < claimed.length; at += 3) {
        const [id, claimedAt, previousOwner] = claimed.slice(at, at + 3) as [
          string,
          string,
          string,
        ];
        const own = ownById.get(id)!;
        if (previousOwner === "" && own.isConfirmed && !isBack) {
          evicted.push(id);
        }
        this.#claimed(id, own, Number(claimedAt));
        this.#announceClaim(previousOwner, id, Number(claimedAt));
      }
      // Nobody knew where to send meanwhile.
      if (evicted.length > 0) this.#redisNode.components.eventsLost(evicted);
    });
    try {
      await Promise.all(kept);
    } catch (error) {
      this.#connection.report(error);
    }
    if (isBack && !this.#connection.isWaiting) {
      this.#redisNode.components.ownersRestored();
    }
  }

  /** Removes sessions that have a newer owner, or none. */
  #dropAll(
    lost: readonly string[],
    ownById: ReadonlyMap<string, OwnedSession>,
  ): void {
    for (let at = 0; at < lost.length; at += 2) {
      const [id, replacedAt] = [lost[at]!, Number(lost[at + 1])];
      const own = this.#owned.get(id);
      // It was claimed again meanwhile.
      if (own === undefined || own !== ownById.get(id)) continue;
      if (replacedAt === 0 && !own.isDetached) continue;
      this.#owned.delete(id);
      if (replacedAt > 0) this.#onClaimed(id, true);
    }
  }

  /** A claim has succeeded: records what happened to the session meanwhile. */
  #claimed(id: string, own: OwnedSession, at: number): void {
    own.claimToken = at;
    own.isConfirmed = true;
    const latest = this.#owned.get(id);
    if (latest === undefined) return this.#release("r", id, own);
    if (latest !== own) return;
    if (own.replacedAt > at) this.#onReplaced(id, own.replacedAt);
    else if (own.isDetached) this.#release("p", id, own);
  }

  /**
   * Informs the previous owner of a claim.
   *
   * @returns Its name, if it is another node.
   */
  #announceClaim(
    previousOwner: string,
    id: string,
    at: number,
  ): string | undefined {
    const previous = nodeOf(previousOwner)?.name;
    if (previous === undefined || previous === this.#node.name) {
      return undefined;
    }
    this.#announcements.add(previous, id, at);
    return previous;
  }

  /** Another node has claimed a session. */
  #onReplaced(id: string, at: number): void {
    const own = this.#owned.get(id);
    if (own === undefined) return this.#onClaimed(id, false);
    own.replacedAt = Math.max(own.replacedAt, at);
    if (own.claimToken === undefined || own.claimToken > at) return;
    this.#owned.delete(id);
    this.#onClaimed(id, true);
  }

  #release(change: "p" | "r", id: string, own: OwnedSession): void {
    const { claimToken, isConfirmed } = own;
    // While the claim is in progress, this is recorded afterwards.
    if (claimToken === undefined || change === "p" && !isConfirmed) return;
    const claim = isConfirmed ? String(claimToken) : "";
    this.#releases.add(change, id, claim);
  }
}
