import type { ClusterNode } from "../membership/cluster_node.ts";
import type { OwnedSessions } from "./owned_sessions.ts";

/** The streams of other nodes: whether they exist, and their end. */
export class RemoteStreams {
  readonly #node: ClusterNode;
  readonly #sessions: OwnedSessions;

  /**
   * @param node This node, which must not have started.
   * @param sessions The sessions that it owns.
   * @param deleteHere Ends a stream of this node.
   */
  constructor(
    node: ClusterNode,
    sessions: OwnedSessions,
    deleteHere: (id: string) => Promise<void>,
  ) {
    this.#node = node;
    this.#sessions = sessions;
    // Where all nodes are asked, the one with the stream responds: it has
    // announced that before, so that the caller can send to it then.
    node.respond(
      "has",
      ({ id }) =>
        node.asksWitnesses ? sessions.isReachable(id) : sessions.hasStream(id),
    );
    node.respond("delete", async ({ id, isPassedOn }) => {
      if (!sessions.hasStream(id)) return !isPassedOn && await this.#passOn(id);
      await deleteHere(id);
      return true;
    });
  }

  /**
   * Returns whether a stream is attached to a session. Its witnesses are asked
   * if no owner is known.
   */
  async has(id: string): Promise<boolean> {
    const { directory } = this.#sessions;
    const owner = await directory.findOwner(id);
    if (owner !== undefined) return !owner.isDetached && !owner.isDown;
    if (directory.isComplete) return false;
    const request = { kind: "has", id } as const;
    return await this.#node.requestAny(request, { session: id });
  }

  /** Ends the stream of a session. */
  async delete(id: string): Promise<void> {
    const owner = await this.#sessions.directory.findOwner(id);
    if (owner?.isDetached || owner?.node === this.#node.name) return;
    const request = { kind: "delete", id } as const;
    const nodes = owner && [owner.node];
    await this.#node.requestAny(request, { nodes, session: id });
  }

  /** Ends a stream for a node that does not know its owner. */
  async #passOn(id: string): Promise<boolean> {
    if (!await this.#sessions.isReachable(id)) return false;
    const owner = await this.#sessions.directory.findOwner(id);
    const request = { kind: "delete", id, isPassedOn: true } as const;
    return await this.#node.requestAny(request, {
      nodes: owner && [owner.node],
    });
  }
}
