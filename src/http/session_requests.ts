import type {
  ClientLimits,
  Respond,
  SessionGate,
} from "../contracts/guarding.ts";
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
  if (requests === undefined) {
    return await answerCounted(limits, sessionId, request, respond);
  }
  const prime = primeFor(request);
  const isFull = requests.isFull(sessionId);
  if (!isFull && !requests.isShared) {
    const post = { sessionId, request, respond, prime };
    return orNotFound(await requests.respond(post));
  }
  const { message, body, copy, isSlow } = await readMessage(request, limits);
  if (isSlow) return refuse("slowBody", copy, respond);
  // Responses and notifications must pass: the open requests may wait for them.
  if (isFull && requestIdOf(message) !== undefined) {
    return refuse("tooManyRequests", copy, respond);
  }
  const post = { sessionId, request: copy, respond, prime, message, body };
  return orNotFound(await requests.respond(post));
}

/** Answers a POST request in one process without replay. */
async function answerCounted(
  limits: ClientLimits,
  sessionId: string,
  request: Request,
  respond: Respond,
): Promise<Response> {
  const { requests } = limits;
  if (requests.isUnlimited) return orNotFound(await respond(request));
  let passed = request;
  if (requests.isFull(sessionId)) {
    const { message, copy, isSlow } = await readMessage(request, limits);
    if (isSlow) return refuse("slowBody", copy, respond);
    if (requestIdOf(message) !== undefined) {
      return refuse("tooManyRequests", copy, respond);
    }
    passed = copy;
  }
  requests.enter(sessionId);
  let response: Response | undefined;
  try {
    response = orNotFound(await respond(passed));
  } finally {
    if (response === undefined || !isEventStream(response)) {
      requests.leave(sessionId);
    }
  }
  return isEventStream(response)
    ? requests.untilEnd(sessionId, response)
    : response;
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
