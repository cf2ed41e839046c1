/** What a stream did with a text. */
export type EnqueueResult =
  /** It has it. */
  | "written"
  /** It has it, and needs a flush at the turn's end. */
  | "waits"
  /** It did not take it: too much is unread. */
  | "full";

/** One text on its way to many streams. */
export interface Frame {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether a frame ends where the text ends, so that a comment may follow. */
  readonly endsFrame: boolean;
  /** Number of the turn of the event loop. */
  readonly turn: number;
  /** When, on the ticker's clock. */
  readonly now: number;
  /** Whether it waits for the end of the turn when it is not the turn's first. */
  readonly canCoalesce: boolean;
  /** Its number among the {@linkcode RecentTexts}; -1 if it is none of them. */
  readonly broadcastSeq: number;
}
