/** A node of a cluster. */
export interface NodeInfo {
  /** The node's name. */
  readonly name: string;
  /** Whether it is this node. */
  readonly isSelf: boolean;
}

/** The counters of a node's messages. */
export interface ClusterStats {
  /** How many nodes are alive, including this one. */
  readonly nodes: number;
  /** How many batches this node has sent. */
  readonly published: number;
  /** How many batches this node has received. */
  readonly received: number;
  /** How many batches this node had to send again. */
  readonly resent: number;
  /**
   * How many times messages may have been lost. Each was reported to `onError`.
   */
  readonly lost: number;
  /**
   * How many outages of the message bus this node has noticed: how often it found
   * it to be down. Over Redis, these are the outages of Redis, including those in
   * which only writes are rejected. Each was reported to `onError`.
   */
  readonly outages: number;
  /**
   * How many messages were ignored, because they were malformed or of another
   * version.
   */
  readonly ignored: number;
}
