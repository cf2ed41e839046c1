/** How nodes pace what they send, and say what they have read. */
export interface FlowControl {
  /** How many batches a reader may have to acknowledge before the next one goes. */
  readonly window: number;
  /**
   * After how long a batch is acknowledged at the latest, in milliseconds. What a
   * beat can say before needs no message of its own.
   */
  readonly ackDelayMs: number;
  /**
   * Every how-manieth beat of a node that has nothing new is acknowledged, so that
   * it learns who has forgotten it.
   */
  readonly heartbeatsPerAck: number;
  /** After how long a silent reader is not waited for any more, in milliseconds. */
  readonly retransmitTimeoutMs: number;
}

/** For buses on which a message costs next to nothing, but that may lose some. */
export const IN_PROCESS_FLOW: FlowControl = {
  window: 16,
  ackDelayMs: 20,
  heartbeatsPerAck: 1,
  retransmitTimeoutMs: 100,
};
