/** How nodes limit what they send, and acknowledge what they receive. */
export interface FlowControl {
  /** How many batches may be unacknowledged before a sender waits. */
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
