import type { ResetReason } from "../../contracts/options.ts";

/** Whom an event is for: these sessions, or everyone. */
export type SessionIds = readonly string[] | undefined;

/** What a session has missed. */
export interface Missed {
  /** The frames, with their ids. */
  readonly frames: readonly string[];
  /** Up to which event that goes, and the id of it. */
  readonly upTo: number;
  readonly latestEventId: string;
}

/**
 * Events in one order that all nodes share. It outlives its nodes, so a client can
 * come back to any of them.
 *
 * This is the port of a store that nodes share. Without one, each node keeps the
 * events of its own, and hands them over (`SessionMoves`).
 */
export interface EventLog {
  /** The id of the newest event that this node has delivered, once it is known. */
  readonly latestEventId: string | undefined;
  /**
   * Begins to deliver the events for this node, in their order.
   *
   * @param deliver Takes a frame. It has an id, unless the log is out of reach.
   */
  start(
    deliver: (audience: SessionIds, frame: string, offset: number) => void,
  ): void;
  /** Adds events: frames without ids. Each node delivers them, this one included. */
  append(audience: SessionIds, frames: readonly string[]): void;
  /** Resolves when what was added here before was delivered, or takes too long. */
  delivered(): Promise<void>;
  /**
   * What a session has missed of which this node is the home. Resolves when this
   * node has delivered as much.
   *
   * @param id The session.
   * @param lastEventId What it got last; left out, it has missed nothing.
   * @param since The position when the session began.
   */
  missed(
    id: string,
    lastEventId: string | undefined,
    since: string | undefined,
  ): Promise<Missed | ResetReason>;
}
