import { SESSION_HEADER } from "../../http/headers.ts";
import { waitAtMost } from "../../runtime/deadline.ts";
import type { SdkSession } from "./sdk_session.ts";

/** What a client has said, in the order in which it is repeated. */
export interface ClientState {
  /** The parameters of `initialize`. */
  readonly initialize: unknown;
  readonly logLevel: string | undefined;
  readonly subscriptions: readonly string[];
}

/** How long a server may take for a message that is repeated, in milliseconds. */
const TIMEOUT_MS = 5_000;

/**
 * Repeats to a new server what the client of its session has said to an earlier
 * one. The responses are dropped.
 */
export async function replayTo(
  session: SdkSession,
  { initialize, logLevel, subscriptions }: ClientState,
): Promise<void> {
  const messages = [
    { id: 0, method: "initialize", params: initialize },
    { method: "notifications/initialized" },
    ...logLevel === undefined
      ? []
      : [{ id: 1, method: "logging/setLevel", params: { level: logLevel } }],
    ...subscriptions.map((uri, index) => ({
      id: 2 + index,
      method: "resources/subscribe",
      params: { uri },
    })),
  ];
  for (const message of messages) {
    const response = await session.respond(postOf(session.sessionId), {
      parsedBody: { jsonrpc: "2.0", ...withId(message) },
    });
    await waitAtMost(response.text().catch(() => {}), TIMEOUT_MS);
    if (!session.hasBegun) {
      throw new Error(
        `The new server refused to initialize, with status ${response.status}.`,
      );
    }
  }
}

/** The client uses numbers, or strings of its own. */
function withId<Message extends { id?: number }>(message: Message): object {
  const { id } = message;
  return id === undefined ? message : { ...message, id: `replay ${id}` };
}

function postOf(sessionId: string): Request {
  return new Request("http://localhost/", {
    method: "POST",
    headers: {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      [SESSION_HEADER]: sessionId,
    },
    body: "{}",
  });
}
