import type { ClusterNode } from "../../cluster/membership/cluster_node.ts";
import { LruMap } from "../../runtime/lru_map.ts";

/** How many claims are remembered for nodes that cannot be told now. */
const MAX_WAITING = 10_000;

/** A claim that the previous owner does not know of. */
interface Claim {
  readonly previous: string;
  readonly at: number;
}

/**
 * Tells the previous owners of sessions that this node has claimed them. One that
 * this node has not met, or that is down, is told when it is there.
 */
export class ClaimAnnouncements {
  readonly #node: ClusterNode;
  readonly #waiting: LruMap<string, Claim> = new LruMap(MAX_WAITING);

  /** @param node This node. */
  constructor(node: ClusterNode) {
    this.#node = node;
    node.listen({ onPeerUp: (name) => this.#onPeerUp(name) });
  }

  /**
   * Tells a node.
   *
   * @param previous Its name.
   * @param id The session ID.
   * @param at When this node has claimed the session, in microseconds.
   */
  add(previous: string, id: string, at: number): void {
    if (this.#node.others.includes(previous)) this.#send(previous, id, at);
    else this.#waiting.set(id, { previous, at });
  }

  #onPeerUp(name: string): void {
    for (const [id, { previous, at }] of [...this.#waiting]) {
      if (previous !== name) continue;
      this.#waiting.delete(id);
      this.#send(name, id, at);
    }
  }

  #send(previous: string, id: string, at: number): void {
    const owners = [[id, [at, this.#node.name] as const, false] as const];
    this.#node.send(previous, { kind: "owners", owners });
  }
}
