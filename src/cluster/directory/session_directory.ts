/**
 * Knows which node holds the stream of which session: the home of the session. With
 * replay a session keeps its home for a while after its stream has ended.
 *
 * This is a port: nodes can tell each other (`GossipedDirectory`), or look it up in a
 * store that they share.
 */
export interface SessionDirectory {
  /**
   * Makes this node the home of a session, in the place of another one.
   *
   * @param id The session.
   * @returns The node that was its home, if it was another one.
   */
  claim(id: string): string | undefined | Promise<string | undefined>;
  /** Notes that the stream of a session of this node has ended, for now. */
  detach(id: string): void;
  /** Ends it that this node is the home of a session. */
  release(id: string): void;
  /** Whether this node is the home of a session. */
  isLocal(id: string): boolean;
  /** The home of a session. */
  findOwner(id: string): OwnerInfo | undefined | Promise<OwnerInfo | undefined>;
  /**
   * The owners of sessions other than this node, and the sessions that each of them
   * holds. Sessions without a home are left out.
   */
  groupByOwner(
    ids: Iterable<string>,
  ): ReadonlyMap<string, string[]> | Promise<ReadonlyMap<string, string[]>>;
  /** Resolves when the other nodes find what was changed here before. */
  flushed(): Promise<void>;
  /** Whether a session that is not found has no home anywhere. */
  readonly isComplete: boolean;
}

/** The home of a session. */
export interface OwnerInfo {
  readonly node: string;
  /** Whether its stream has ended. */
  readonly isDetached: boolean;
  /** Whether the node is taken for dead, and may come back. */
  readonly isDown: boolean;
}
