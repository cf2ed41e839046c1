import type {
  EvictionReason,
  ResetReason,
  SessionEndReason,
} from "./options.ts";

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
  /**
   * How many readers were evicted: because of `backlog.maxBytes` (`bytes`), or
   * because of `backlog.maxAgeMs` (`age`).
   */
  readonly evicted: Readonly<Record<EvictionReason, number>>;
  /** How many missed events were sent to clients that reconnected. */
  readonly replayed: number;
  /** How many times a client got a `reset`, by its reason. */
  readonly resets: Readonly<Record<ResetReason, number>>;
}

/** The counters of subscriptions. */
export interface SubscriptionStats {
  /**
   * How many subscriptions to resources the known sessions have (session era),
   * see {@linkcode SessionsStats.sessions}.
   */
  readonly resources: number;
  /** How many `subscriptions/listen` streams are open here (per-request era). */
  readonly listen: number;
  /** How many notifications were passed to these streams, once for each. */
  readonly notified: number;
}

/** The counters of a `…Sessions` object. */
export interface SessionsStats extends StreamStats {
  /**
   * How many sessions that began through the guard are known here. In one
   * process and on several nodes without Redis, these are all of them: the same
   * number on every node. Over Redis, these are the sessions that this node has
   * served, as long as they have not ended.
   */
  readonly sessions: number;
  /** How many sessions have begun here, through the guard: see `onBegin`. */
  readonly begun: number;
  /**
   * How many sessions have ended, by the reason: those that `onEnd` is called
   * with here. In one process, `begun` minus all of these is `sessions`; with
   * several nodes, the sums over all nodes are.
   */
  readonly ended: Readonly<Record<SessionEndReason, number>>;
  /** How many subscriptions there are now. */
  readonly subscriptions: SubscriptionStats;
  /**
   * For how many sessions the metadata expired after `info.idleTimeoutMs`. With
   * several nodes, each of them counts it. Includes metadata of sessions that did
   * not begin through the guard.
   */
  readonly expired: number;
  /**
   * How many requests are being answered now with an event stream that is kept
   * for clients that disconnect.
   */
  readonly openRequests: number;
}
