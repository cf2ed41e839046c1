/** What happened to a frame. */
export type EnqueueResult =
  /** It was enqueued. */
  | "written"
  /**
   * It was queued until the end of the turn, when the stream must be flushed.
   */
  | "queued"
  /** It was not accepted: the backlog is full. */
  | "overflow";

/** One frame on its way to many streams. */
export interface Frame {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * Whether the text ends at the end of a frame, so that a comment may follow.
   */
  readonly endsFrame: boolean;
  /** The number of the turn of the event loop. */
  readonly turn: number;
  /** When it was sent, in the scheduler's time. */
  readonly now: number;
  /**
   * Whether it is queued until the end of the turn, unless it is the first of
   * the turn.
   */
  readonly canCoalesce: boolean;
  /**
   * The number of a broadcast that may take the fast path; -1 for other frames.
   */
  readonly broadcastSeq: number;
}
