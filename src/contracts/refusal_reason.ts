/**
 * Why the guard refused a request. [Limits](https://github.com/crossmcp/session-manager/blob/main/docs/limits.md)
 * has the status of each.
 */
export type RefusalReason =
  /** The session ID is malformed, or the principal is too long. */
  | "invalidSession"
  /** A GET without a session ID would begin a session. */
  | "missingSession"
  /** No request of this session has the event of `Last-Event-ID`. */
  | "unknownEvent"
  /** The session never existed, has ended, or belongs to another principal. */
  | "unknownSession"
  /** A body, client info or capabilities are too long. */
  | "tooLarge"
  /** A body did not arrive within `http.bodyTimeoutMs`. */
  | "slowBody"
  /** The principal has too many sessions, or begins them too fast. */
  | "tooManySessions"
  /** The principal has too many event streams without a session. */
  | "tooManyStreams"
  /** The session has too many open requests. */
  | "tooManyRequests"
  /** `maxSessions` is reached, the server stops, or nobody can tell. */
  | "unavailable";
