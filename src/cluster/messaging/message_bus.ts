/**
 * Carries messages between the nodes of a cluster: at most once, in any order,
 * and not back to the node that published them. The cluster corrects lost,
 * duplicated and late messages.
 *
 * This is the port that a backend implements; `ClusterSessions` does the rest.
 */
export interface MessageBus {
  /**
   * When nodes send, acknowledge and send again: messages of a remote bus are
   * expensive, those of a local one may be lost.
   *
   * @default undefined a window of 16, acknowledged within 20 ms
   */
  readonly flowControl?: FlowControl | undefined;
  /**
   * Whether the bus is known to be down. Meanwhile, missed heartbeats are
   * ignored.
   *
   * @default undefined the bus works
   */
  readonly isDown?: boolean | undefined;
  /**
   * Starts to receive what is published to this node and to all. Called once.
   *
   * @param node The name of this node.
   * @param receive Called with each message. It doesn't throw.
   * @returns Resolves when everything that others publish from now on is
   * received.
   */
  start(
    node: string,
    receive: (text: string) => void,
  ): void | Promise<void>;
  /**
   * Publishes a message. Failures are reported, and corrected like any other
   * loss.
   *
   * @param text The message.
   * @param to The name of the node that it is for; `undefined` for all.
   */
  publish(text: string, to: string | undefined): void | Promise<void>;
  /**
   * Stops receiving, after everything that was published before has been sent.
   */
  close(): void | Promise<void>;
}

/** How nodes limit what they send, and acknowledge what they receive. */
export interface FlowControl {
  /**
   * The send window: how many batches a receiver may leave unacknowledged before
   * the sender waits for it.
   */
  readonly window: number;
  /**
   * The longest delay of an acknowledgement, in milliseconds. Acknowledgements
   * that fit into a heartbeat need no message of their own.
   */
  readonly ackDelayMs: number;
  /**
   * How many heartbeats of an idle node are acknowledged with one message, so
   * that it notices peers that have forgotten it.
   */
  readonly heartbeatsPerAck: number;
  /**
   * After how long without an acknowledgement a sender no longer waits for a
   * receiver, in milliseconds.
   */
  readonly retransmitTimeoutMs: number;
}

/** Flow control for buses on which messages are cheap, but may be lost. */
export const IN_PROCESS_FLOW: FlowControl = {
  window: 16,
  ackDelayMs: 20,
  heartbeatsPerAck: 1,
  retransmitTimeoutMs: 100,
};
