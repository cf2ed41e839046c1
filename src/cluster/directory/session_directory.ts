/**
 * Knows which node owns a session: the one that holds its stream. With replay,
 * a session keeps its owner for a while after its stream has ended.
 *
 * This is a port: nodes can inform each other (`ReplicatedDirectory`), or share
 * a store.
 */
export interface SessionDirectory {
  /**
   * Makes this node the owner of a session.
   *
   * @param id The session ID.
   * @returns The previous owner, if it was another node.
   */
  claim(id: string): string | undefined | Promise<string | undefined>;
  /** Records that the stream of a session of this node has ended for now. */
  detach(id: string): void;
  /** Gives up the ownership of a session. */
  release(id: string): void;
  /** Returns whether this node owns a session. */
  isLocal(id: string): boolean;
  /** Returns the owner of a session. */
  findOwner(id: string): OwnerInfo | undefined | Promise<OwnerInfo | undefined>;
  /**
   * Returns the owners of sessions, other than this node, with the sessions of
   * each. Sessions without an owner are omitted.
   */
  groupByOwner(
    ids: Iterable<string>,
  ): ReadonlyMap<string, string[]> | Promise<ReadonlyMap<string, string[]>>;
  /**
   * Resolves when the other nodes see the changes that were made here to a
   * session, or find them when they look for it.
   */
  flushed(id: string): Promise<void>;
  /** Whether a session that is not found has no owner at all. */
  readonly isComplete: boolean;
}

/** The owner of a session. */
export interface OwnerInfo {
  readonly node: string;
  /** Whether the stream has ended. */
  readonly isDetached: boolean;
  /** Whether the node is down, and may come back. */
  readonly isDown: boolean;
  /** Whether this node was the previous owner, if the directory knows. */
  readonly wasLocal?: boolean | undefined;
}
