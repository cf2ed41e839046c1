import type { HttpOptions } from "./http_options.ts";
import type { RefusalReason } from "./refusal_reason.ts";

/** An option of every manager. */
export interface ErrorReportingOptions {
  /**
   * Called with every failure in the background: a `DeliveryError` for each
   * stream or subscription that failed and was removed or lost data, and the
   * error of each write of metadata that was refused, awaited or not. Errors
   * that it throws are ignored.
   *
   * @default undefined failures are not reported
   */
  readonly onError?: ((error: Error) => void) | undefined;
}

/**
 * Why a reader was evicted: it had too many bytes unread, or unread for too
 * long.
 */
export type EvictionReason = "bytes" | "age";

/**
 * Why a client cannot get everything it missed: its last event ID is not one of
 * this log, or nobody can tell what it missed (`"unknown"`); later events may
 * have been dropped (`"purged"`); or the ID was not assigned yet (`"future"`).
 */
export type ResetReason = "unknown" | "purged" | "future";

/** How much a reader may leave unread. */
export interface BacklogOptions {
  /**
   * How many bytes may be unread, as far as Web Streams can tell. Data that the
   * runtime and the operating system have buffered for a connection (up to
   * about 4 MB on Linux) counts as read. A frame of any size is accepted while
   * nothing is unread, and so is everything that is sent within one turn of the
   * event loop.
   *
   * @default 1_048_576
   */
  readonly maxBytes?: number | undefined;
  /**
   * How old the oldest unread byte may be, in milliseconds. Checked four times
   * within that time, and at least once a second.
   *
   * @default 30_000
   */
  readonly maxAgeMs?: number | undefined;
}

/** How much is kept for clients that reconnect. All three limits apply. */
export interface ReplayOptions {
  /** The maximum number of events. */
  readonly maxEvents?: number | undefined;
  /**
   * The maximum size of all events, in bytes. A targeted event counts 64 bytes
   * more for each recipient.
   */
  readonly maxBytes?: number | undefined;
  /** The maximum age of an event, in milliseconds. */
  readonly maxAgeMs?: number | undefined;
  /**
   * The part of the log that events for one session alone may take once the log
   * is full, above 0 and up to 1. Its oldest ones are dropped first then. Each
   * session may have 100 events and 64 KiB.
   */
  readonly maxShare?: number | undefined;
}

/** Options of a stream manager. */
export interface StreamOptions {
  /**
   * How much a reader may leave unread. A reader that exceeds a limit is
   * evicted: its stream is aborted, and `onEvict` is called. `false` removes
   * the limits.
   *
   * @default {} 1 MiB and 30 seconds
   */
  readonly backlog?: BacklogOptions | false | undefined;
  /**
   * After how many milliseconds without data a stream gets an SSE comment, so
   * that proxies don't close the connection. `false` sends none.
   *
   * @default 15_000
   */
  readonly keepAliveMs?: number | false | undefined;
  /**
   * Whether the frames that a stream gets within one turn of the event loop are
   * written as one chunk at its end. The first frame is written at once, unless
   * the stream's last turn had several frames and was less than a second ago.
   *
   * @default true
   */
  readonly coalesce?: boolean | undefined;
  /**
   * How much is kept for clients that reconnect and send `Last-Event-ID`; `{}`
   * for the defaults. Every event gets an `id`, which replaces its own. Behind
   * the guard, this includes the responses to POST requests.
   *
   * @default false nothing is kept
   */
  readonly replay?: ReplayOptions | false | undefined;
  /**
   * How many sessions may have a stream at once. Further ones are refused with
   * a `SessionLimitError`. Replacing the stream of a session is always allowed.
   *
   * @default Infinity
   */
  readonly maxSessions?: number | undefined;
}

/** Options of an info manager. */
export interface InfoOptions {
  /**
   * After how many milliseconds without use the metadata of a session is
   * removed; `Infinity` for never. Every read and write counts as use, and a
   * session with an open stream is in use. Checked once a second.
   *
   * @default 7_200_000
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * For how many sessions metadata may be stored at once. Further ones are
   * refused with a `SessionLimitError`.
   *
   * @default Infinity
   */
  readonly maxSessions?: number | undefined;
  /**
   * How long the value that `setData` stores for a session may be, in bytes of
   * JSON. A larger one is refused with an `InvalidArgumentError`.
   *
   * @default 65_536
   */
  readonly maxDataBytes?: number | undefined;
  /**
   * How many sessions a principal may have at once, on all nodes. A further
   * `initialize` gets 429 from the guard. Sessions without a principal are not
   * limited by it.
   *
   * @default 10_000
   */
  readonly maxSessionsPerPrincipal?: number | undefined;
  /**
   * To how many resources a session may be subscribed at once. Further
   * subscriptions are refused with a `LimitError`.
   *
   * @default 1_000
   */
  readonly maxSubscriptionsPerSession?: number | undefined;
  /**
   * How long the URI of a resource that a session subscribes to may be, in
   * bytes of UTF-8. Longer ones are refused with a `LimitError`.
   *
   * @default 8_192
   */
  readonly maxUriBytes?: number | undefined;
  /**
   * How long client info may be, in bytes of JSON. It may have icons. Longer
   * info is refused with a `LimitError`, and the guard answers an `initialize`
   * with it with 413.
   *
   * @default 262_144
   */
  readonly maxClientInfoBytes?: number | undefined;
  /**
   * How long client capabilities may be, in bytes of JSON. At the limit, the
   * same happens as for `maxClientInfoBytes`.
   *
   * @default 65_536
   */
  readonly maxCapabilitiesBytes?: number | undefined;
}

/** Callbacks of a stream manager. */
export interface StreamEventOptions {
  /**
   * Called with every session whose reader was evicted, and the reason. Errors
   * that it throws are ignored.
   *
   * @default undefined
   */
  readonly onEvict?: ((id: string, reason: EvictionReason) => void) | undefined;
  /**
   * Called with every session whose client reconnected and cannot get
   * everything it missed, or whose open stream lacks events because this node
   * did not get them; and with the reason. The client is informed by an event
   * named `reset`. Send the session what it needs to start over, for example
   * `list_changed`. Errors that the callback throws are ignored.
   *
   * @default undefined
   */
  readonly onReset?: ((id: string, reason: ResetReason) => void) | undefined;
}

/** Options of a manager of `subscriptions/listen` streams. */
export interface SubscriptionOptions {
  /**
   * How long `close` waits for notifications that were sent before it, and
   * `send` for the slowest subscription, in milliseconds. Afterwards a
   * subscription that is being closed is closed, whether it has settled or not.
   *
   * @default 1_000
   */
  readonly closeTimeoutMs?: number | undefined;
  /**
   * How long a subscription may leave a notification pending, in milliseconds.
   * Afterwards it is closed and removed, so that nothing piles up behind it.
   *
   * @default 30_000
   */
  readonly maxAgeMs?: number | undefined;
  /**
   * How many subscriptions of one origin a node may have at once. Further ones
   * are refused with a `LimitError`.
   *
   * @default 1_000
   */
  readonly maxPerOrigin?: number | undefined;
  /**
   * How many URIs a subscription may have. One with more is refused with a
   * `LimitError`.
   *
   * @default 1_000
   */
  readonly maxUris?: number | undefined;
  /**
   * How long each URI of a subscription may be, in bytes of UTF-8. One with a
   * longer URI is refused with a `LimitError`.
   *
   * @default 8_192
   */
  readonly maxUriBytes?: number | undefined;
}

/**
 * Why a session ended: its client sent DELETE, or `info.delete` was called
 * (`"deleted"`); `sessions.end` was called (`"ended"`); or nobody used it for
 * `info.idleTimeoutMs` (`"expired"`).
 */
export type SessionEndReason = "deleted" | "ended" | "expired";

/**
 * Callbacks for sessions that begin and end, of those that begin through the
 * guard. Errors that they throw, and those of promises that they return, are
 * passed to `onError`.
 *
 * With several nodes, each call is made on one of them: `onBegin` where the
 * guard answered `initialize`, `onEnd` where the session was deleted or ended.
 * That a session expired is found by any node. Over Redis, each session is
 * reported once, except that during an outage each node that ends it reports
 * it. Without Redis, an expired session is reported by the live node whose name
 * sorts first: two nodes may report it, or none, if they disagree about who is
 * alive; and nodes that delete a session at the same moment all report it.
 *
 * `close` ends no session: with several nodes, others continue with them.
 */
export interface SessionEventOptions {
  /**
   * Called with every session that has begun, and its principal; before its
   * client gets the response.
   *
   * @default undefined
   */
  readonly onBegin?:
    | ((id: string, principal: string | undefined) => void)
    | undefined;
  /**
   * Called once with every session that has ended, and the reason. A session
   * that expired may be noticed later: expiry is checked once a second, and over
   * Redis, sessions that no live node has used are found when another session of
   * their principal begins, or when they are listed.
   *
   * @default undefined
   */
  readonly onEnd?: ((id: string, reason: SessionEndReason) => void) | undefined;
}

/** Options of a `…Sessions` object, the same for every backend. */
export interface SessionsOptions
  extends ErrorReportingOptions, StreamEventOptions, SessionEventOptions {
  /** Options of `sessions.streams`. */
  readonly streams?: StreamOptions | undefined;
  /** Options of `sessions.info`. */
  readonly info?: InfoOptions | undefined;
  /** Options of `sessions.subscriptions`. */
  readonly subscriptions?: SubscriptionOptions | undefined;
  /** Options of `sessions.guard`. */
  readonly http?: HttpOptions | undefined;
  /**
   * Called with each request that the guard has refused: why, and who sent it.
   * Count them for your own rate limit, or to ban a client. Errors that it throws
   * are ignored.
   *
   * @default undefined
   */
  readonly onRefuse?:
    | ((reason: RefusalReason, principal: string | undefined) => void)
    | undefined;
}

/** How to end streams. */
export interface CloseOptions {
  /**
   * The duration of a drain, in milliseconds: streams are ended one by one, so
   * that not all clients reconnect at once. New streams are refused meanwhile,
   * and the remaining ones still get what is sent. At the end, unread data is
   * no longer waited for.
   *
   * @default 0 all streams end at once, and what they hold can still be read
   */
  readonly drainMs?: number | undefined;
  /**
   * After how many milliseconds clients should reconnect. Sent to them when a
   * drain begins, as the `retry` field of SSE (MCP 2025-11-25, Transports,
   * "Listening for Messages from the Server").
   *
   * @default 1_000
   */
  readonly retryMs?: number | undefined;
}
