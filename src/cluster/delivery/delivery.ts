import type { StreamIntent } from "../../streams/pending_streams.ts";
import type { ResetReason } from "../../contracts/options.ts";
import type { Missed, SessionIds } from "./event_log.ts";

/**
 * The result of a resume: how the stream of a client that reconnected starts.
 */
export interface ResumeResult {
  /** Why the missed events are unavailable, if they are. */
  readonly reset?: ResetReason | undefined;
  /** The missed events, if this node does not store them itself. */
  readonly missed?: Missed | undefined;
}

/**
 * How frames reach the streams of all nodes, and how missed events are found.
 */
export interface Delivery {
  /** The ID of the newest event of this node; `undefined` without replay. */
  readonly latestEventId: string | undefined;
  /** Writes a frame to sessions, on any node. */
  send(recipients: SessionIds, data: string): void | Promise<void>;
  /**
   * Returns whether a stream must wait for the events that its client has
   * missed.
   */
  needsResume(id: string, intent: StreamIntent | undefined): boolean;
  /**
   * Resolves when everything that was sent here before was delivered here, or
   * after a timeout.
   */
  flushed?(): Promise<void>;
  /**
   * Makes this node the owner of a session, and fetches what its client has
   * missed.
   */
  resume(
    id: string,
    intent: StreamIntent | undefined,
  ): Promise<ResumeResult>;
}
