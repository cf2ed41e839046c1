import type { PendingStream } from "../../streams/pending_streams.ts";
import type { ResetReason } from "../../contracts/options.ts";
import type { SendTarget } from "../../replay/recipients.ts";
import type { Missed } from "./event_log.ts";

/** How the stream of a client that reconnected starts. */
export interface ResumeResult {
  /** Why the missed events are unavailable, if they are. */
  readonly reset?: ResetReason | undefined;
  /** The missed events, if this node does not store them itself. */
  readonly missed?: Missed | undefined;
}

/**
 * Delivers frames to the streams of all nodes, and finds the events that
 * clients have missed. This is a port: nodes exchange both directly
 * (`DirectDelivery`), or share a log (`LogDelivery`).
 */
export interface Delivery {
  /** The ID of the newest event of this node; `undefined` without replay. */
  readonly latestEventId: string | undefined;
  /**
   * Writes a frame to sessions, on any node.
   *
   * @param target The session IDs, each once, or whom a broadcast is for.
   * @param data One or more complete SSE frames.
   * @returns If the owners must be looked up first, a promise that resolves
   * when the frame was sent, or after a timeout.
   */
  send(target: SendTarget, data: string): void | Promise<void>;
  /**
   * Returns whether a stream must wait for the events that its client has
   * missed.
   */
  needsResume(id: string, intent: PendingStream | undefined): boolean;
  /**
   * Resolves when everything that was sent here before was delivered here, or
   * after a timeout. Undefined if `send` delivers at once.
   */
  flushed?(): Promise<void>;
  /**
   * Makes this node the owner of a session, and fetches what its client has
   * missed.
   */
  resume(
    id: string,
    intent: PendingStream | undefined,
  ): Promise<ResumeResult>;
}
