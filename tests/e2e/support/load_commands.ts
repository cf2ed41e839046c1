/** How a client reads. */
export interface Pace {
  /** How many bytes at a time. */
  readonly bytes: number;
  /** After how many milliseconds again; 0 for at once, -1 for never. */
  readonly everyMs: number;
}

/** How a client goes: it says so, drops the connection, or resets it. */
export type DisconnectKind = "end" | "destroy" | "reset";

/** What became of a connection: ended in the midst of the response or after it. */
export type Outcome = "open" | "aborted" | "complete";

/** What clients are to do. They are opened in groups, which have names. */
export type Command =
  | { readonly open: string; readonly count: number; readonly pace: Pace }
  | { readonly pace: string; readonly everyMs: number }
  | { readonly disconnect: string; readonly how: DisconnectKind }
  | { readonly report: string; readonly upTo: number }
  | { readonly outcomes: string };

/** What the clients of a group have received. */
export interface Report {
  /** How many of them have got the event that was waited for. */
  readonly complete: number;
  /** How many events were missing, came twice or out of order. */
  readonly sequenceErrors: number;
  /**
   * For each event since the last report, in how many milliseconds it had reached
   * 99 of 100 clients.
   */
  readonly p99s: readonly number[];
}
