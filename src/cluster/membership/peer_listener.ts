/** What the links of a node tell of other nodes. */
export interface PeerEvents {
  /** Another node listens from now on: what does it have to know? */
  readonly onPeerSubscribed: (node: string) => void;
  /** This node hears all of another one from now on, and nothing from before. */
  readonly onPeerJoining: (node: string) => void;
  /** This node and another one hear each other; again, where one was silent. */
  readonly onPeerUp: (node: string, isBack: boolean) => void;
  /**
   * A node has left for good, or was not heard of for so long that it is taken for
   * dead.
   */
  readonly onPeerDown: (node: string, isForGood: boolean) => void;
}

/** A part of a node that hears of others. */
export interface PeerListener extends Partial<PeerEvents> {
  /** Whether it knows what the nodes have that were met at first. */
  readonly isReady?: () => boolean;
  /** What this node has, as a number. */
  readonly digest?: () => [name: string, digest: number];
  /** What another node has, as a number, once everything it sent was read. */
  readonly onDigest?: (
    node: string,
    digests: Readonly<Record<string, number>>,
  ) => void;
}
