import type { LostMessages } from "../messaging/protocol.ts";

/** Events of the membership. */
export interface PeerEvents {
  /**
   * Another node has subscribed to this one: send it everything it must know.
   */
  readonly onPeerSubscribed: (node: string) => void;
  /**
   * This node has subscribed to another one, and will receive all it sends from
   * now on.
   */
  readonly onPeerJoining: (node: string) => void;
  /**
   * This node and another one have subscribed to each other; `isBack` if it was
   * down.
   */
  readonly onPeerUp: (node: string, isBack: boolean) => void;
  /**
   * Another node has removed this one, and has joined again: what it sent
   * meanwhile was lost.
   */
  readonly onRemovedByPeer: (node: string) => void;
  /**
   * A node has left, or has missed so many heartbeats that it is considered
   * dead.
   */
  readonly onPeerDown: (node: string, isForGood: boolean) => void;
}

/** A component that listens to the membership. */
export interface PeerListener extends Partial<PeerEvents> {
  /**
   * Called when another node has sent everything that this one must know, with
   * its digests before that.
   */
  readonly onPeerSynced?: (
    node: string,
    digests: Readonly<Record<string, number>>,
  ) => void;
  /**
   * Returns whether it has received the data of the nodes that were found at
   * first.
   */
  readonly isReady?: () => boolean;
  /** Returns a digest of this node's data. */
  readonly digest?: () => [name: string, digest: number];
  /**
   * Called when messages of another node were given up, because the bus refused
   * them again and again.
   */
  readonly onLost?: (node: string, lost: LostMessages) => void;
  /**
   * Called with the digests of another node, when everything it sent before was
   * received.
   */
  readonly onDigest?: (
    node: string,
    digests: Readonly<Record<string, number>>,
  ) => void;
}
