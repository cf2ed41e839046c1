import type { RedisNode } from "../redis_node.ts";
import { FIND, LOCATE } from "./owner_scripts.ts";

/** Looks up the owners of sessions in Redis. */
export class OwnerLookup {
  readonly #redisNode: RedisNode;

  /** @param redisNode The server, and this node. */
  constructor(redisNode: RedisNode) {
    this.#redisNode = redisNode;
  }

  /**
   * Returns the owner of a session, empty if there is none, and whether its
   * stream has ended.
   */
  async find(id: string): Promise<{ owner: string; isDetached: boolean }> {
    const { connection, keys } = this.#redisNode;
    const [owner, detached, epoch] = await connection.evaluate(
      FIND,
      keys.sessions + id,
      [keys.logState],
    ) as [string, string, string];
    if (owner === "") await this.#redisNode.checkEpoch(epoch);
    return { owner, isDetached: detached !== "" };
  }

  /**
   * Returns the owners of sessions, in order. Waits while the server does
   * not answer, or is being restored.
   */
  async locate(ids: readonly string[]): Promise<readonly string[]> {
    const { connection, keys } = this.#redisNode;
    for (;;) {
      await this.#redisNode.whenReadable();
      try {
        const owners = await connection.evaluate(
          LOCATE,
          keys.logState,
          [keys.sessions, ...ids],
        ) as string[];
        const epoch = owners.pop()!;
        if (owners.includes("")) await this.#redisNode.checkEpoch(epoch);
        // A client may have queued the command until the server was back, and
        // empty.
        if (this.#redisNode.canRead) return owners;
      } catch (error) {
        if (!connection.isWaiting) throw error;
      }
    }
  }
}

/** Parses the value of an owner field; `undefined` if it is empty. */
export function nodeOf(
  owner: string,
): { name: string; incarnation: number } | undefined {
  const space = owner.indexOf(" ");
  if (space < 0) return undefined;
  const incarnation = parseInt(owner.slice(0, space), 36);
  return { name: owner.slice(space + 1), incarnation };
}
