import { type RedisNode, SETTLE_MS } from "../redis_node.ts";

/**
 * Nodes that have missed heartbeats: Redis may be out of their reach only, so
 * that they begin sessions which are not in Redis yet. One that comes back needs
 * some time to write them; one that does not is given up with its sessions.
 */
export class AbsentNodes {
  readonly #redisNode: RedisNode;
  readonly #names: Set<string> = new Set();
  #settledAt = -Infinity;

  /** @param redisNode This node. */
  constructor(redisNode: RedisNode) {
    this.#redisNode = redisNode;
    const { node } = redisNode;
    node.listen({
      onPeerDown: (name, isForGood) => {
        if (isForGood) this.#names.delete(name);
        else this.#names.add(name);
      },
      onPeerUp: (name) => {
        if (!this.#names.delete(name)) return;
        this.#settledAt = node.scheduler.now() + SETTLE_MS;
      },
    });
  }

  /** Whether they may have sessions that are not in Redis. */
  get mayHaveSessions(): boolean {
    const { scheduler } = this.#redisNode.node;
    return this.#names.size > 0 || scheduler.now() < this.#settledAt;
  }
}
