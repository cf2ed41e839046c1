import type { StreamIntent } from "../../streams/pending_streams.ts";
import type { ResetReason } from "../../contracts/options.ts";
import type { Missed, SessionIds } from "./event_log.ts";

/** What a stream starts with whose client may have missed something. */
export interface ResumeResult {
  /** Why that cannot be had, if it cannot. */
  readonly reset?: ResetReason | undefined;
  /** What it has missed, where this node does not keep that itself. */
  readonly missed?: Missed | undefined;
}

/** How texts get to the streams of all nodes, and what clients have missed. */
export interface Delivery {
  /** The id of the newest event of this node; `undefined` without replay. */
  readonly latestEventId: string | undefined;
  /** Writes a text to sessions, on whichever nodes. */
  send(audience: SessionIds, data: string): void | Promise<void>;
  /** Whether the stream of a session has to wait for what its client has missed. */
  needsResume(id: string, expected: StreamIntent | undefined): boolean;
  /** Resolves when what was sent here before was delivered here, or takes too long. */
  flushed?(): Promise<void>;
  /** Makes this node the home of a session, and fetches what its client has missed. */
  resume(
    id: string,
    expected: StreamIntent | undefined,
  ): Promise<ResumeResult>;
}
