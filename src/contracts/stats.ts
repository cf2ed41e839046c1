/** The counters of a stream manager. They start at 0 with the manager. */
export interface StreamStats {
  /**
   * How many sessions have a stream now. All other counters include the
   * responses to requests.
   */
  readonly attached: number;
  /** How many frames were written to streams, counted once for each stream. */
  readonly delivered: number;
  /** How many bytes are unread now, as far as Web Streams can tell. */
  readonly queuedBytes: number;
  /** How many readers were evicted. */
  readonly evicted: {
    /** Because of `backlog.maxBytes`. */
    readonly bytes: number;
    /** Because of `backlog.maxAgeMs`. */
    readonly age: number;
  };
  /** How many missed events were sent to clients that reconnected. */
  readonly replayed: number;
  /** How many clients got a `reset` when they reconnected. */
  readonly resets: number;
}

/** The counters of a `…Sessions` object. */
export interface SessionsStats extends StreamStats {
  /** For how many sessions the metadata expired after `info.idleTimeoutMs`. */
  readonly expired: number;
  /**
   * How many requests are being answered now with an event stream that is kept
   * for clients that disconnect.
   */
  readonly openRequests: number;
}
