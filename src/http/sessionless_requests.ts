import type { Respond, SessionGate } from "../contracts/guarding.ts";
import { isEventStream } from "../protocol/sse.ts";
import { SESSION_HEADER } from "./headers.ts";
import {
  assignsSession,
  discard,
  isTemporary,
  limitRefusal,
  orNotFound,
  refuse,
} from "./refusals.ts";
import { isInitialize, readMessage } from "./request_body.ts";

/**
 * Answers a request without a session ID, which may begin a session, or an event
 * stream of the per-request era.
 */
export async function answerWithoutSession(
  sessions: SessionGate,
  request: Request,
  respond: Respond,
  principal: string | undefined,
): Promise<Response> {
  if (request.method !== "POST" || principal === undefined) {
    const response = orNotFound(await respond(request));
    return afterAnswer(sessions, request, respond, principal, response);
  }
  const { rate, streams } = sessions.limits;
  if (streams.isFull(principal)) {
    return refuse("tooManyStreams", request, respond);
  }
  let passed = request;
  if (rate.isExhausted(principal)) {
    // Refused before the transport does anything for it.
    const { message, copy, isSlow } = await readMessage(
      request,
      sessions.limits,
    );
    if (isSlow) return refuse("slowBody", copy, respond);
    if (isInitialize(message)) {
      return refuse("tooManySessions", copy, respond);
    }
    // Others may have begun meanwhile.
    if (streams.isFull(principal)) {
      return refuse("tooManyStreams", copy, respond);
    }
    passed = copy;
  }
  const answer = async () => {
    const response = orNotFound(await respond(passed));
    return afterAnswer(sessions, passed, respond, principal, response);
  };
  return await streams.counted(
    principal,
    answer,
    (response) => !assignsSession(response) && isEventStream(response),
  );
}

/** Registers a session that the transport has begun. */
async function afterAnswer(
  sessions: SessionGate,
  request: Request,
  respond: Respond,
  principal: string | undefined,
  response: Response,
): Promise<Response> {
  if (!assignsSession(response)) {
    const opensStream = request.method === "GET" && isEventStream(response);
    if (opensStream) sessions.onStream?.("sse");
    return response;
  }
  if (request.method === "GET") {
    // No client knows the session that this stream belongs to.
    await discard(response);
    return refuse("missingSession", request, respond);
  }
  if (request.method !== "POST") return response;
  const assigned = response.headers.get(SESSION_HEADER)!;
  if (!sessions.limits.rate.take(principal)) {
    await discard(response);
    await sessions.forget(assigned);
    return refuse("tooManySessions", request, respond);
  }
  try {
    if (await sessions.register(assigned, principal)) return response;
  } catch (error) {
    const refusal = limitRefusal(error);
    if (refusal === undefined && !isTemporary(error)) throw error;
    await discard(response);
    if (refusal === undefined) return refuse("unavailable", request, respond);
    // What the transport has stored of it.
    await sessions.forget(assigned);
    return refuse(refusal, request, respond);
  }
  // The transport assigned the same ID to two clients.
  await discard(response);
  return refuse("unknownSession", request, respond);
}
