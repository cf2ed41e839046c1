/** The state of the log, as Redis returns it. */
export interface LogState {
  /** Identifies the log: a new one after Redis has lost it. */
  readonly epoch: string;
  /**
   * The newest event, the newest broadcast, and the newest event for this node
   * alone.
   */
  readonly lastEvent: number;
  readonly lastBroadcast: number;
  readonly lastDirect: number;
}

/** A component that stores something in Redis. */
export interface RedisComponent {
  /** Called regularly with the state of the log. */
  onLogState?(state: LogState): void;
  /** The newest event that the component knows. */
  readonly newest?: number;
  /** The sequence number of the last event that the component has appended. */
  readonly appended?: number;
  /** Called when messages may have been missed. */
  onResubscribed?(): void;
  /**
   * Called when Redis is available again.
   *
   * @param isEmpty Whether it may have lost everything.
   */
  onReconnected?(isEmpty: boolean): void;
  /**
   * Called with sessions that this node now owns, or that another node may have
   * lost.
   */
  onSessionsClaimed?(ids: Iterable<string>): void;
  /** Called if Redis could not store that this node owns a session. */
  onClaimFailed?(id: string): void;
  /** Called with a session of this node whose keys Redis has evicted. */
  onEvicted?(id: string): void;
  /** Called with sessions of this node to which events may be lost. */
  onEventsLost?(ids: readonly string[]): void;
  /** Called when Redis knows again which sessions this node owns. */
  onOwnersRestored?(): void;
  /**
   * Called when the other nodes have had time to restore what Redis had lost.
   */
  onRecovered?(): void;
  close?(): void;
}
