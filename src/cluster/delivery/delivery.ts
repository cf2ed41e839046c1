import type { StreamExpectation } from "../../streams/pending_streams.ts";
import type { ResetReason } from "../../contracts/options.ts";
import type { Audience, Missed } from "./event_log.ts";

/** What a stream starts with whose client may have missed something. */
export interface ArrivalStart {
  /** Why that cannot be had, if it cannot. */
  readonly reset?: ResetReason | undefined;
  /** What it has missed, where this node does not keep that itself. */
  readonly missed?: Missed | undefined;
}

/** How texts get to the streams of all nodes, and what clients have missed. */
export interface Delivery {
  /** The id of the newest event of this node; `undefined` without replay. */
  readonly position: string | undefined;
  /** Writes a text to sessions, on whichever nodes. */
  send(audience: Audience, data: string): void | Promise<void>;
  /** Whether the stream of a session has to wait for what its client has missed. */
  waits(id: string, expected: StreamExpectation | undefined): boolean;
  /** Resolves when what was sent here before was delivered here, or takes too long. */
  settled?(): Promise<void>;
  /** Makes this node the home of a session, and fetches what its client has missed. */
  fetch(
    id: string,
    expected: StreamExpectation | undefined,
  ): Promise<ArrivalStart>;
}
