import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import { periodFor, type Watcher } from "../../runtime/scheduler.ts";
import { byNode } from "../../cluster/directory/by_node.ts";
import type { ClusterNode } from "../../cluster/membership/cluster_node.ts";
import type {
  Found,
  SessionDirectory,
} from "../../cluster/directory/session_directory.ts";
import type { Backend } from "../redis_node.ts";
import { inChunks } from "../connection/chunks.ts";
import type { RedisConnection } from "../connection/connection.ts";
import { CLAIM, FIND, KEEP, LEAVE, LOCATE } from "./owner_scripts.ts";
import type { Keys } from "../connection/keys.ts";

/** A session whose home this node is. */
interface Own {
  /** When it was claimed, in microseconds; not known before the server says so. */
  at: number | undefined;
  isParked: boolean;
  /** When another node claimed it. */
  rivalAt: number;
}

/** How many sessions a command keeps. */
const CHUNK = 1_000;

/**
 * A directory in Redis: each session has its home beside its metadata. Each node
 * also knows its own, so that they are known again where Redis has lost them.
 */
export class RedisSessionDirectory implements SessionDirectory, Watcher {
  readonly isComplete: boolean = true;
  readonly periodMs: number;
  readonly #backend: Backend;
  readonly #node: ClusterNode;
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #ttlMs: number;
  readonly #onClaimed: (id: string, wasHere: boolean) => void;
  readonly #home: string;
  readonly #own: Map<string, Own> = new Map();
  /** What became of sessions in this turn. */
  #left: string[] = [];
  #isScheduled = false;
  #leaving: Promise<void> = Promise.resolve();
  #keptAt = 0;

  /**
   * @param backend The server, and the node.
   * @param ttlMs How long a session is kept that nobody uses, in milliseconds.
   * @param onClaimed Told of sessions that another node has claimed.
   */
  constructor(
    backend: Backend,
    ttlMs: number,
    onClaimed: (id: string, wasHere: boolean) => void,
  ) {
    const { node, connection, keys, home } = backend;
    this.#backend = backend;
    this.#node = node;
    this.#connection = connection;
    this.#keys = keys;
    this.#ttlMs = ttlMs;
    this.#onClaimed = onClaimed;
    this.#home = home;
    this.periodMs = periodFor(ttlMs);
    backend.add({
      back: () => {
        this.#flush();
        void this.keep(true);
      },
      close: () => {
        node.ticker.stop(this);
        this.#own.clear();
      },
    });
    // What it alone knew of them is in Redis only.
    node.listen({ onLeave: () => backend.claimed(this.#own.keys()) });
    node.handle("homes", ({ homes }) => {
      for (const [id, [at]] of homes) this.#lose(id, at);
    });
  }

  async claim(id: string): Promise<string | undefined> {
    const own: Own = { at: undefined, isParked: false, rivalAt: 0 };
    this.#own.set(id, own);
    this.#node.ticker.start(this);
    try {
      const [at, before] = await this.#connection.evaluate(
        CLAIM,
        this.#keys.sessions + id,
        [this.#home, String(this.#ttlMs)],
      ) as [string, string];
      own.at = Number(at);
      this.#claimed(id, own);
      this.#backend.claimed([id]);
      const previous = nodeOf(before)?.name;
      if (previous === undefined || previous === this.#node.name) {
        return undefined;
      }
      this.#tell(previous, id, own.at);
      return previous;
    } catch (error) {
      // It is claimed when the server is back.
      own.at ??= Date.now() * 1_000;
      this.#connection.report(error);
      return undefined;
    }
  }

  park(id: string): void {
    const own = this.#own.get(id);
    if (own === undefined) return;
    own.isParked = true;
    this.#leave("p", id, own);
  }

  release(id: string): void {
    const own = this.#own.get(id);
    if (own === undefined) return;
    this.#own.delete(id);
    this.#leave("r", id, own);
    if (this.#own.size === 0) this.#node.ticker.stop(this);
  }

  isHere(id: string): boolean {
    return this.#own.has(id);
  }

  async find(id: string): Promise<Found | undefined> {
    const own = this.#own.get(id);
    if (own !== undefined) {
      return { node: this.#node.name, isParked: own.isParked, isSilent: false };
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
      return { node: found.name, isParked: parked !== "", isSilent };
    } catch (error) {
      this.#connection.report(error);
      return undefined;
    }
  }

  async locate(
    ids: Iterable<string>,
  ): Promise<ReadonlyMap<string, string[]>> {
    const elsewhere = [...ids].filter((id) =>
      typeof id === "string" && !this.#own.has(id)
    );
    if (elsewhere.length === 0) return new Map();
    try {
      const homes = await this.#homesOf(elsewhere);
      const nodes = new Map(
        elsewhere.map((id, index) => [id, nodeOf(homes[index]!)?.name]),
      );
      return byNode(nodes.keys(), (id) => {
        const node = nodes.get(id);
        return node === this.#node.name ? undefined : node;
      });
    } catch (error) {
      this.#connection.report(error);
      return new Map();
    }
  }

  /** Waits for a server that is out of reach. */
  async #homesOf(ids: readonly string[]): Promise<readonly string[]> {
    for (;;) {
      await this.#backend.up();
      try {
        const homes = await this.#connection.evaluate(
          LOCATE,
          this.#keys.log,
          [this.#keys.sessions, ...ids],
        ) as string[];
        // A client may have kept the command until the server was back, empty.
        if (!this.#backend.isWaiting) return homes;
      } catch (error) {
        if (!this.#connection.isWaiting) throw error;
      }
    }
  }

  async settled(): Promise<void> {
    if (!this.#connection.isWaiting) this.#flush();
    await this.#leaving;
  }

  tick(now: number): void {
    if (now - this.#keptAt < this.#ttlMs / 3) return;
    this.#keptAt = now;
    void this.keep(false);
  }

  /**
   * Keeps the sessions of this node.
   *
   * @param isBack Whether Redis may have lost what it knew of them.
   */
  async keep(isBack: boolean): Promise<void> {
    const { sessions, log } = this.#keys;
    const own = [...this.#own].filter(([, { at }]) => at !== undefined);
    const kept = inChunks(own, CHUNK).map((some) =>
      this.#connection.evaluate(KEEP, log, [
        sessions,
        this.#home,
        String(this.#ttlMs),
        ...some.flatMap(([id, { at, isParked }]) => [
          id,
          String(at),
          !isParked ? "" : isBack ? "p" : "c",
        ]),
      ]).then(
        (lost) => this.#loseAll(lost as string[]),
        (error) => this.#connection.report(error),
      )
    );
    await Promise.all(kept);
  }

  #loseAll(lost: readonly string[]): void {
    for (let at = 0; at < lost.length; at += 2) {
      const [id, rivalAt] = [lost[at]!, Number(lost[at + 1])];
      if (rivalAt > 0) this.#lose(id, rivalAt);
      else if (this.#own.get(id)?.isParked) this.#own.delete(id);
    }
  }

  /** A session is claimed: what became of it meanwhile can be noted. */
  #claimed(id: string, own: Own): void {
    const latest = this.#own.get(id);
    if (latest === undefined) return this.#leave("r", id, own);
    if (latest !== own) return;
    if (own.rivalAt > own.at!) this.#lose(id, own.rivalAt);
    else if (own.isParked) this.#leave("p", id, own);
  }

  /** Tells a node that a session of its is here now. */
  #tell(node: string, id: string, at: number): void {
    const stamp = [at, this.#node.name] as const;
    this.#node.tell(node, { kind: "homes", homes: [[id, stamp, false]] });
  }

  /** Another node has claimed a session. */
  #lose(id: string, at: number): void {
    const own = this.#own.get(id);
    if (own === undefined) return this.#onClaimed(id, false);
    own.rivalAt = Math.max(own.rivalAt, at);
    if (own.at === undefined || own.at > at) return;
    this.#own.delete(id);
    this.#onClaimed(id, true);
  }

  #leave(change: "p" | "r", id: string, { at }: Own): void {
    // One that is on its way to be claimed is noted then.
    if (at === undefined) return;
    this.#left.push(change, id, String(at));
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    atEndOfTurn(() => {
      this.#isScheduled = false;
      if (!this.#connection.isWaiting) this.#flush();
    });
  }

  #flush(): void {
    const left = this.#left;
    this.#left = [];
    const { sessions, log } = this.#keys;
    for (const some of inChunks(left, 3 * CHUNK)) {
      const done = this.#connection.evaluate(
        LEAVE,
        log,
        [sessions, this.#home, ...some],
      ).then(() => {}, (error) => {
        // Else others take them to be here until they expire.
        if (this.#connection.isWaiting) this.#left.push(...some);
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
