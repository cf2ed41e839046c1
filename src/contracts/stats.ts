/** What a manager of streams counts. The counts start with the manager. */
export interface StreamStats {
  /** How many sessions have a stream. */
  readonly attached: number;
  /** How many texts were handed to streams, one for each stream. */
  readonly delivered: number;
  /** How many bytes are unread now, as far as Web Streams tell. */
  readonly queuedBytes: number;
  /** How many streams were broken off because their readers fell behind. */
  readonly evicted: {
    /** Past `backlog.maxBytes`. */
    readonly bytes: number;
    /** Past `backlog.maxAgeMs`. */
    readonly age: number;
  };
  /** How many events were sent again to clients that came back. */
  readonly replayed: number;
  /** How many clients came back too late, and were told so. */
  readonly resets: number;
}

/** What a `…Sessions` object counts. */
export interface SessionsStats extends StreamStats {
  /** Of how many sessions the metadata was forgotten after `info.idleTimeoutMs`. */
  readonly expired: number;
}
