import type { ResetReason } from "../../contracts/options.ts";
import type { EventHistory } from "../../streams/stream_start.ts";

/** The recipients of an event: these sessions, or everyone (`undefined`). */
export type SessionIds = readonly string[] | undefined;

/** The events that a session has missed. */
export interface Missed {
  /** The frames, with their IDs. */
  readonly frames: readonly string[];
  /** The offset up to which no event is missing from `frames`. */
  readonly upTo: number;
  /** The ID of the event at that offset. */
  readonly latestEventId: string;
}

/**
 * A log of events in one order that all nodes share. It outlives the nodes, so
 * a client can resume on any of them.
 *
 * This is a port, for stores that nodes share. Without one, each node keeps its
 * own events, and hands them over (`SessionTakeover`).
 */
export interface EventLog {
  /**
   * The ID of the newest event that this node has delivered, once it is known.
   */
  readonly latestEventId: string | undefined;
  /**
   * Starts to deliver the events for this node, in order.
   *
   * @param deliver Called with each frame and its offset. A frame has an ID,
   * unless the log is unavailable.
   */
  start(
    deliver: (recipients: SessionIds, frame: string, offset: number) => void,
  ): void;
  /**
   * Appends events: frames without IDs. Each node delivers them, including this
   * one.
   */
  append(recipients: SessionIds, frames: readonly string[]): void;
  /**
   * Resolves when everything that was appended here before was delivered, or
   * after a timeout.
   */
  delivered(): Promise<void>;
  /**
   * Returns what a session of this node has missed. Resolves when this node has
   * delivered all earlier events.
   *
   * @param id The session ID.
   * @param lastEventId The last event that its client received; `undefined` if
   * it has missed nothing.
   * @param startEventId The newest event when the session began.
   */
  missed(
    id: string,
    lastEventId: string | undefined,
    startEventId: string | undefined,
  ): Promise<Missed | ResetReason>;
}

/**
 * Returns a history for streams whose missed events come from a shared log:
 * nothing is replayed from this node's memory.
 */
export function eventHistoryOf(log: EventLog): EventHistory {
  return {
    get latestEventId(): string {
      return log.latestEventId ?? "";
    },
    after: () => "unknown",
  };
}
