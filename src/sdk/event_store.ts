import type { Sessions } from "../contracts/sessions.ts";
import { InvalidArgumentError } from "../errors.ts";
import { formatValue } from "../format_value.ts";
import { assertSessionId } from "../protocol/session_id.ts";
import { assertHosting } from "../contracts/hosting.ts";
import { ReplayGate } from "./replay_gate.ts";
import type { SdkEventStore } from "./sdk_types.ts";

/** The message of an event that only has an ID. */
const PRIMING = "{}";

/**
 * Creates an `EventStore` of the SDK for one session, if you keep the transports
 * of the SDK yourself. With {@linkcode createSdkHandler}, you need none.
 *
 * Events are kept in the replay log of the sessions, and are dropped at the
 * limits of `streams.replay`. Over Redis, they outlive their process: each stream
 * has these limits, and any node can replay it. With the other backends, only
 * the node that stored an event can replay what follows it.
 *
 * The events of a stream, the standalone one included, are replayed in the order
 * in which they were stored, and those of other streams and sessions never are.
 * If events are missing, `replayEventsAfter` rejects instead of leaving a gap,
 * and the transport answers 500.
 *
 * The store has no `getStreamIdForEventId`: with it, the transport would answer
 * 409 to a client that reconnects before its old connection is known to be dead.
 *
 * @param sessions The sessions, of any backend of this package, with
 * `streams.replay`.
 * @param sessionId The session. Its transports on all nodes have the same.
 * @throws {InvalidArgumentError} If the ID is invalid, or the sessions have no
 * replay or are not from this package.
 *
 * @example
 * ```ts
 * import { InMemorySessions } from "@crossmcp/session-manager";
 * import { createEventStore } from "@crossmcp/session-manager/sdk";
 * import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";
 *
 * const sessions = new InMemorySessions({ streams: { replay: {} } });
 * const sessionId = crypto.randomUUID();
 * const transport = new WebStandardStreamableHTTPServerTransport({
 *   sessionIdGenerator: () => sessionId,
 *   eventStore: createEventStore(sessions, sessionId),
 * });
 * ```
 */
export function createEventStore(
  sessions: Sessions,
  sessionId: string,
): SdkEventStore {
  const { events } = assertHosting(sessions);
  assertSessionId(sessionId);
  if (events === undefined) {
    throw new InvalidArgumentError(
      "sessions",
      '"sessions" keep no events. Create them with the option ' +
        '"streams: { replay: {} }".',
    );
  }
  const gate = new ReplayGate();
  return {
    storeEvent: (streamId, message) =>
      gate.store(() =>
        events.append(sessionId, streamId, JSON.stringify(message))
      ),
    replayEventsAfter: (lastEventId, { send }) =>
      gate.replay(async () => {
        const missed = await events.after(sessionId, lastEventId);
        if (typeof missed === "string") throw unknownEvent(lastEventId);
        for (const { id, data } of missed.events) {
          if (data !== PRIMING) await send(id, JSON.parse(data));
        }
        return missed.streamId;
      }),
  };
}

function unknownEvent(lastEventId: string): InvalidArgumentError {
  return new InvalidArgumentError(
    "lastEventId",
    `Events after ${formatValue(lastEventId)} are unavailable: the ID is not ` +
      'of this session, the events exceeded the limits of "streams.replay", ' +
      "or another node has them. The client must begin a new session.",
  );
}
