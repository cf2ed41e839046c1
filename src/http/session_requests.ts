import type { Respond, SessionGate } from "../contracts/guarding.ts";
import { sendPreflight } from "./cors.ts";
import { SESSION_HEADER, VERSION_HEADER } from "./headers.ts";
import { isPrimed } from "./protocol_version.ts";
import { orNotFound, refuse } from "./refusals.ts";
import { readMessage } from "./request_body.ts";
import { isEventStream } from "../protocol/sse.ts";
import { requestIdOf } from "../requests/message_target.ts";

/** The headers of an event stream, as tmcp's transports send them. */
export const EVENT_STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache",
  "x-accel-buffering": "no",
};

/** Answers a POST request of a session. */
export async function answerPost(
  { requests, limits }: SessionGate,
  sessionId: string,
  request: Request,
  respond: Respond,
): Promise<Response> {
  const counts = requests ?? limits.requests;
  let passed = request;
  let message: unknown;
  let body: string | undefined;
  if (counts.isFull(sessionId) || requests?.isShared) {
    const read = await readMessage(request, limits);
    ({ message, body, copy: passed } = read);
    if (read.isSlow) return refuse("slowBody", passed, respond);
    // Checked again, because others may have begun meanwhile. Responses and
    // notifications must pass: the open requests may wait for them.
    if (counts.isFull(sessionId) && requestIdOf(message) !== undefined) {
      return refuse("tooManyRequests", passed, respond);
    }
  }
  if (requests === undefined) {
    const answer = async () => orNotFound(await respond(passed));
    return await limits.requests.counted(sessionId, answer, isEventStream);
  }
  const prime = primeFor(request);
  const post = { sessionId, request: passed, respond, prime, message, body };
  return orNotFound(await requests.respond(post));
}

/** Answers a GET request for the rest of the response to a POST request. */
export async function resumeRequest(
  { requests }: SessionGate,
  sessionId: string,
  lastEventId: string,
  request: Request,
  respond: Respond,
): Promise<Response> {
  const prime = primeFor(request);
  const body = await requests?.resume(sessionId, lastEventId, prime);
  if (body === undefined) return refuse("unknownEvent", request, respond);
  const headers = request.headers.has("origin")
    ? (await sendPreflight(request, respond)).corsHeaders
    : new Headers();
  headers.set(SESSION_HEADER, sessionId);
  // Some clients ask for more after a JSON-RPC error, again and again. This
  // status tells them to stop (HTML standard, 9.2.3).
  if (body === null) return new Response(null, { status: 204, headers });
  for (const [name, value] of Object.entries(EVENT_STREAM_HEADERS)) {
    headers.set(name, value);
  }
  return new Response(body, { headers });
}

/** The form of a priming event that a client understands. */
export function primeFor({ headers }: Request): true | "named" {
  return isPrimed(headers.get(VERSION_HEADER)) || "named";
}
