/** What every manager takes. */
export interface ErrorReportingOptions {
  /**
   * Told of every stream and subscription that took no more data and was removed
   * or lost something on its way out (a `DeliveryError`), and of every write that
   * the manager of metadata refused, awaited or not. What it throws is ignored.
   *
   * @default undefined nobody is told
   */
  readonly onError?: ((error: Error) => void) | undefined;
}

/** Why a stream was broken off: it held too many bytes, or held them too long. */
export type EvictionReason = "bytes" | "age";

/**
 * Why a client that comes back cannot be given all that it missed: its position is
 * none that was given here (`"unknown"`), what came after it may have been dropped
 * (`"purged"`), or nobody has got so far (`"future"`).
 */
export type ResetReason = "unknown" | "purged" | "future";

/** How much of what was sent a reader may leave unread. */
export interface BacklogOptions {
  /**
   * How many bytes may be unread, as far as Web Streams tell: what the runtime
   * and the operating system have taken over for a connection (on Linux up to
   * about 4 MB) counts as read. A text of any size is taken while nothing is
   * unread, and so is everything that is sent within one turn of the event loop.
   *
   * @default 1_048_576
   */
  readonly maxBytes?: number | undefined;
  /**
   * How old the oldest unread byte may grow, in milliseconds. It is looked at
   * four times in that time, at least once a second.
   *
   * @default 30_000
   */
  readonly maxAgeMs?: number | undefined;
}

/** How much is kept for clients that come back, all three limits at once. */
export interface ReplayOptions {
  /**
   * How many events.
   *
   * @default 10_000
   */
  readonly maxEvents?: number | undefined;
  /**
   * How many bytes of events, with 64 for each session that one is for where it
   * is not for everyone.
   *
   * @default 16_777_216
   */
  readonly maxBytes?: number | undefined;
  /**
   * How long, in milliseconds.
   *
   * @default 300_000
   */
  readonly maxAgeMs?: number | undefined;
}

/** Options of a manager of streams. */
export interface StreamOptions {
  /**
   * What a reader may leave unread before its stream is broken off and its
   * session reported to `onEvict`; `false` for no limit.
   *
   * @default {} 1 MiB and 30 seconds
   */
  readonly backlog?: BacklogOptions | false | undefined;
  /**
   * After how many milliseconds without data a stream gets an SSE comment, so
   * that nobody on the way takes the connection for dead; `false` for never.
   *
   * @default 15_000
   */
  readonly keepAliveMs?: number | false | undefined;
  /**
   * Whether what is sent to a stream within one turn of the event loop leaves as one
   * chunk at its end. The first text goes at once, unless the stream's last turn had
   * several and was less than a second ago: then these are taken to be as many.
   *
   * @default true
   */
  readonly coalesce?: boolean | undefined;
  /**
   * What is kept for clients that were away and say in `Last-Event-ID` what they
   * got last; `{}` for the defaults. Events get an `id` then, in the place of
   * their own.
   *
   * @default false nothing is kept
   */
  readonly replay?: ReplayOptions | false | undefined;
  /**
   * How many sessions may have a stream at once; one more is refused with a
   * `SessionLimitError`. Replacing the stream of a session always works.
   *
   * @default Infinity
   */
  readonly maxSessions?: number | undefined;
}

/** Options of a manager of metadata. */
export interface InfoOptions {
  /**
   * After how many milliseconds without use what is stored of a session is
   * forgotten; `Infinity` for never. Every read and write is a use, and a session
   * with an open stream is in use. It is looked at once a second.
   *
   * @default 7_200_000
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * Of how many sessions something may be stored at once; one more is refused
   * with a `SessionLimitError`.
   *
   * @default Infinity
   */
  readonly maxSessions?: number | undefined;
}

/** Whom a manager of streams tells what became of a reader. */
export interface StreamEventOptions {
  /**
   * Told of every session whose stream was broken off because its reader fell
   * behind, and why. What it throws is ignored.
   *
   * @default undefined nobody is told
   */
  readonly onEvict?: ((id: string, reason: EvictionReason) => void) | undefined;
  /**
   * Told of every session whose client came back too late to get all it missed,
   * and why. The stream tells the client so with an event named `reset`; send the
   * session what it needs to start over, for example `list_changed`. What it
   * throws is ignored.
   *
   * @default undefined nobody is told
   */
  readonly onReset?: ((id: string, reason: ResetReason) => void) | undefined;
}

/** Options of a manager of `subscriptions/listen` streams. */
export interface SubscriptionOptions {
  /**
   * How long `close` waits for what was sent before it, and `send` for the
   * slowest subscription, in milliseconds. A subscription that is being closed
   * is closed then, whether it has settled or not.
   *
   * @default 1_000
   */
  readonly closeTimeoutMs?: number | undefined;
  /**
   * How old the oldest notification that a subscription has not taken may grow,
   * in milliseconds. Past it the subscription is closed and removed, so that
   * nothing piles up behind it.
   *
   * @default 30_000
   */
  readonly maxAgeMs?: number | undefined;
}

/** Options of a `…Sessions` object: one vocabulary for every backend. */
export interface SessionsOptions
  extends ErrorReportingOptions, StreamEventOptions {
  /** For `sessions.streams`. */
  readonly streams?: StreamOptions | undefined;
  /** For `sessions.info`. */
  readonly info?: InfoOptions | undefined;
  /** For `sessions.subscriptions`. */
  readonly subscriptions?: SubscriptionOptions | undefined;
}

/** How to end streams. */
export interface CloseOptions {
  /**
   * Over how many milliseconds the streams are ended, one after the other, so that
   * not all clients come back at once. Nothing new is taken meanwhile; streams that
   * are left still get what is sent. When the time is over, what has not been read
   * is not waited for.
   *
   * @default 0 all at once, and what they hold can still be read
   */
  readonly drainMs?: number | undefined;
  /**
   * After how many milliseconds a client is to come back that was told so at the
   * beginning of a drain: the `retry` field of SSE (MCP 2025-11-25, Transports,
   * "Listening for Messages from the Server").
   *
   * @default 1_000
   */
  readonly retryMs?: number | undefined;
}
