import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import { checkPeriodFor, type PeriodicTask } from "../../runtime/scheduler.ts";
import { groupByNode } from "../../cluster/directory/by_node.ts";
import type { ClusterNode } from "../../cluster/membership/cluster_node.ts";
import type {
  OwnerInfo,
  SessionDirectory,
} from "../../cluster/directory/session_directory.ts";
import type { RedisNode } from "../redis_node.ts";
import { inChunks } from "../connection/chunks.ts";
import type { RedisConnection } from "../connection/connection.ts";
import { CLAIM, FIND, KEEP, LEAVE, LOCATE } from "./owner_scripts.ts";
import type { RedisKeys } from "../connection/keys.ts";

/** A session whose home this node is. */
interface OwnedSession {
  /** When it was claimed, in microseconds; not known before the server says so. */
  claimToken: number | undefined;
  isDetached: boolean;
  /** When another node claimed it. */
  replacedAt: number;
}

/** How many sessions a command keeps. */
const SESSIONS_PER_COMMAND = 1_000;

/**
 * A directory in Redis: each session has its home beside its metadata. Each node
 * also knows its own, so that they are known again where Redis has lost them.
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
  /** What became of sessions in this turn. */
  #pendingReleases: string[] = [];
  #isScheduled = false;
  #leaving: Promise<void> = Promise.resolve();
  #renewedAt = 0;

  /**
   * @param backend The server, and the node.
   * @param ttlMs How long a session is kept that nobody uses, in milliseconds.
   * @param onClaimed Told of sessions that another node has claimed.
   */
  constructor(
    backend: RedisNode,
    ttlMs: number,
    onClaimed: (id: string, wasHere: boolean) => void,
  ) {
    const { node, connection, keys, nodeKeyId } = backend;
    this.#redisNode = backend;
    this.#node = node;
    this.#connection = connection;
    this.#keys = keys;
    this.#ttlMs = ttlMs;
    this.#onClaimed = onClaimed;
    this.#nodeKeyId = nodeKeyId;
    this.periodMs = checkPeriodFor(ttlMs);
    backend.add({
      onReconnected: () => {
        this.#flush();
        void this.renewLeases(true);
      },
      close: () => {
        node.scheduler.stop(this);
        this.#owned.clear();
      },
    });
    // What it alone knew of them is in Redis only.
    node.listen({ onPeerDown: () => backend.claimed(this.#owned.keys()) });
    node.handle("owners", ({ owners }) => {
      for (const [id, [at]] of owners) this.#onReplaced(id, at);
    });
  }

  async claim(id: string): Promise<string | undefined> {
    const own: OwnedSession = {
      claimToken: undefined,
      isDetached: false,
      replacedAt: 0,
    };
    this.#owned.set(id, own);
    this.#node.scheduler.start(this);
    try {
      const [at, before] = await this.#connection.evaluate(
        CLAIM,
        this.#keys.sessions + id,
        [this.#nodeKeyId, String(this.#ttlMs)],
      ) as [string, string];
      own.claimToken = Number(at);
      this.#claimed(id, own);
      this.#redisNode.claimed([id]);
      const previous = nodeOf(before)?.name;
      if (previous === undefined || previous === this.#node.name) {
        return undefined;
      }
      this.#announceClaim(previous, id, own.claimToken);
      return previous;
    } catch (error) {
      // It is claimed when the server is back.
      own.claimToken ??= Date.now() * 1_000;
      this.#connection.report(error);
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
      const [home, parked] = await this.#connection.evaluate(
        FIND,
        this.#keys.sessions + id,
      ) as [string, string];
      const found = nodeOf(home);
      // Given up, but Redis does not know yet; or of an earlier one of its name.
      if (found === undefined || found.name === this.#node.name) {
        return undefined;
      }
      const isSilent = !this.#node.isAlive(found.name, found.incarnation);
      return { node: found.name, isDetached: parked !== "", isDown: isSilent };
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
      const homes = await this.#ownersOf(elsewhere);
      const nodes = new Map(
        elsewhere.map((id, index) => [id, nodeOf(homes[index]!)?.name]),
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

  /** Waits for a server that is out of reach. */
  async #ownersOf(ids: readonly string[]): Promise<readonly string[]> {
    for (;;) {
      await this.#redisNode.whenAvailable();
      try {
        const homes = await this.#connection.evaluate(
          LOCATE,
          this.#keys.logState,
          [this.#keys.sessions, ...ids],
        ) as string[];
        // A client may have kept the command until the server was back, empty.
        if (!this.#redisNode.isRecovering) return homes;
      } catch (error) {
        if (!this.#connection.isWaiting) throw error;
      }
    }
  }

  async flushed(): Promise<void> {
    if (!this.#connection.isWaiting) this.#flush();
    await this.#leaving;
  }

  run(now: number): void {
    if (now - this.#renewedAt < this.#ttlMs / 3) return;
    this.#renewedAt = now;
    void this.renewLeases(false);
  }

  /**
   * Keeps the sessions of this node.
   *
   * @param isBack Whether Redis may have lost what it knew of them.
   */
  async renewLeases(isBack: boolean): Promise<void> {
    const { sessions, logState } = this.#keys;
    const own = [...this.#owned].filter(([, { claimToken }]) =>
      claimToken !== undefined
    );
    const kept = inChunks(own, SESSIONS_PER_COMMAND).map((some) =>
      this.#connection.evaluate(KEEP, logState, [
        sessions,
        this.#nodeKeyId,
        String(this.#ttlMs),
        ...some.flatMap(([id, { claimToken, isDetached }]) => [
          id,
          String(claimToken),
          !isDetached ? "" : isBack ? "p" : "c",
        ]),
      ]).then(
        (lost) => this.#replaceAll(lost as string[]),
        (error) => this.#connection.report(error),
      )
    );
    await Promise.all(kept);
  }

  #replaceAll(lost: readonly string[]): void {
    for (let at = 0; at < lost.length; at += 2) {
      const [id, rivalAt] = [lost[at]!, Number(lost[at + 1])];
      if (rivalAt > 0) this.#onReplaced(id, rivalAt);
      else if (this.#owned.get(id)?.isDetached) this.#owned.delete(id);
    }
  }

  /** A session is claimed: what became of it meanwhile can be noted. */
  #claimed(id: string, own: OwnedSession): void {
    const latest = this.#owned.get(id);
    if (latest === undefined) return this.#release("r", id, own);
    if (latest !== own) return;
    if (own.replacedAt > own.claimToken!) this.#onReplaced(id, own.replacedAt);
    else if (own.isDetached) this.#release("p", id, own);
  }

  /** Tells a node that a session of its is here now. */
  #announceClaim(node: string, id: string, at: number): void {
    const stamp = [at, this.#node.name] as const;
    this.#node.send(node, { kind: "owners", owners: [[id, stamp, false]] });
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

  #release(change: "p" | "r", id: string, { claimToken }: OwnedSession): void {
    // One that is on its way to be claimed is noted then.
    if (claimToken === undefined) return;
    this.#pendingReleases.push(change, id, String(claimToken));
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    atEndOfTurn(() => {
      this.#isScheduled = false;
      if (!this.#connection.isWaiting) this.#flush();
    });
  }

  #flush(): void {
    const left = this.#pendingReleases;
    this.#pendingReleases = [];
    const { sessions, logState } = this.#keys;
    for (const some of inChunks(left, 3 * SESSIONS_PER_COMMAND)) {
      const done = this.#connection.evaluate(
        LEAVE,
        logState,
        [sessions, this.#nodeKeyId, ...some],
      ).then(() => {}, (error) => {
        // Else others take them to be here until they expire.
        if (this.#connection.isWaiting) this.#pendingReleases.push(...some);
        else this.#connection.report(error);
      });
      this.#leaving = Promise.all([this.#leaving, done]).then(() => {});
    }
  }
}

/** The node that Redis knows so; `undefined` for none. */
export function nodeOf(
  home: string,
): { name: string; incarnation: number } | undefined {
  const space = home.indexOf(" ");
  if (space < 0) return undefined;
  const incarnation = parseInt(home.slice(0, space), 36);
  return { name: home.slice(space + 1), incarnation };
}
