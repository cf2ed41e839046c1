import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import { inChunks } from "../../runtime/chunks.ts";
import { SESSIONS_PER_COMMAND } from "../connection/command_size.ts";
import type { RedisNode } from "../redis_node.ts";
import { LEAVE } from "./owner_scripts.ts";

/** A stream has ended (p), or a session was released (r). */
type Release = readonly [change: "p" | "r", id: string, claim: string];

/**
 * Informs Redis of the sessions that were detached or released in this turn, or
 * during an outage.
 */
export class PendingReleases {
  readonly #redisNode: RedisNode;
  readonly #isOwned: (id: string) => boolean;
  #releases: Release[] = [];
  #isScheduled = false;
  #releasing: Promise<void> = Promise.resolve();

  /**
   * @param redisNode The server, and this node.
   * @param isOwned Returns whether this node owns a session again.
   */
  constructor(redisNode: RedisNode, isOwned: (id: string) => boolean) {
    this.#redisNode = redisNode;
    this.#isOwned = isOwned;
  }

  /**
   * Adds a session.
   *
   * @param change What happened to it.
   * @param id The session ID.
   * @param claim The time of its claim; "" if Redis was unavailable then.
   */
  add(change: "p" | "r", id: string, claim: string): void {
    this.#releases.push([change, id, claim]);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    atEndOfTurn(() => {
      this.#isScheduled = false;
      if (!this.#redisNode.connection.isWaiting) this.flush();
    });
  }

  /** Sends what was added before. */
  flush(): void {
    const { connection, keys, nodeKeyId } = this.#redisNode;
    const releases = this.#releases.filter(([, id, claim]) =>
      claim !== "" || !this.#isOwned(id)
    );
    this.#releases = [];
    for (const some of inChunks(releases, SESSIONS_PER_COMMAND)) {
      const written = connection.evaluate(
        LEAVE,
        keys.logState,
        [keys.sessions, nodeKeyId, ...some.flat()],
      ).then(() => {}, (error) => {
        // Otherwise other nodes consider them to be here until they expire.
        if (connection.isWaiting) this.#releases.push(...some);
        else connection.report(error);
      });
      this.#releasing = Promise.all([this.#releasing, written]).then(() => {});
    }
  }

  /** Resolves when Redis knows what was added before, or is unavailable. */
  async flushed(): Promise<void> {
    if (!this.#redisNode.connection.isWaiting) this.flush();
    await this.#releasing;
  }
}
