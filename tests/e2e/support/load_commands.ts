/** How fast a client reads. */
export interface Pace {
  /** Number of bytes per read. */
  readonly bytes: number;
  /** Milliseconds between reads; 0 for continuous reads, -1 to stop reading. */
  readonly everyMs: number;
}

/** How a client disconnects: with a half-close, a close, or a reset. */
export type DisconnectKind = "end" | "destroy" | "reset";

/**
 * The state of a connection. Aborted connections ended before the response was
 * complete.
 */
export type Outcome = "open" | "aborted" | "complete";

/** Commands to the client process. Clients are opened in named groups. */
export type Command =
  | { readonly open: string; readonly count: number; readonly pace: Pace }
  | { readonly pace: string; readonly everyMs: number }
  | { readonly disconnect: string; readonly how: DisconnectKind }
  | { readonly report: string; readonly upTo: number }
  | { readonly outcomes: string };

/** What the clients of a group have received. */
export interface Report {
  /** Number of clients that have received the event. */
  readonly complete: number;
  /** Number of missing, repeated or misplaced events. */
  readonly sequenceErrors: number;
  /**
   * For each event since the last report, the 99th percentile latency in
   * milliseconds.
   */
  readonly p99s: readonly number[];
}
