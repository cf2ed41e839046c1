import type { ResetReason } from "../../contracts/options.ts";
import type { SendTarget } from "../../replay/recipients.ts";
import type { Resumption } from "../../replay/replay_log.ts";
import type { EventHistory } from "../../streams/stream_start.ts";

/** The events that a session has missed. */
export interface Missed {
  /** The frames, with their IDs. */
  readonly frames: readonly string[];
  /** The offset up to which no event is missing from `frames`. */
  readonly upTo: number;
  /** The ID of the event at that offset. */
  readonly latestEventId: string;
}

/** A client that connects. */
export interface Connecting extends Omit<Resumption, "lastEventId"> {
  /** The last event that it received; `undefined` if it has missed nothing. */
  readonly lastEventId: string | undefined;
}

/** What an {@linkcode EventLog} does with the streams of this node. */
export interface EventLogListener {
  /**
   * Writes an event.
   *
   * @param target The recipients.
   * @param frame The frame. It has an ID, unless the log is unavailable.
   * @param offset Its offset in the log.
   * @param isExcluded Returns whether a session does not get it.
   */
  readonly deliver: (
    target: SendTarget,
    frame: string,
    offset: number,
    isExcluded?: (id: string) => boolean,
  ) => void;
  /**
   * Tells clients that their open streams lack events.
   *
   * @param sessions The sessions; `undefined` for everyone.
   * @param eventId The event after which they continue.
   * @param reason Why events are missing.
   */
  readonly reset: (
    sessions: readonly string[] | undefined,
    eventId: string,
    reason: ResetReason,
  ) => void;
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
  /** Starts to deliver the events for this node, in order. */
  start(listener: EventLogListener): void;
  /**
   * Appends events: frames without IDs. Each node delivers them, including this
   * one.
   */
  append(target: SendTarget, frames: readonly string[]): void;
  /**
   * Resolves when everything that was appended here before was delivered, or
   * after a timeout.
   */
  delivered(): Promise<void>;
  /**
   * Returns what a session of this node has missed. Resolves when this node has
   * delivered all earlier events.
   */
  missed(client: Connecting): Promise<Missed | ResetReason>;
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
