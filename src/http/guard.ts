import type {
  GuardOptions,
  PreparedStream,
  Respond,
  SessionGate,
  SessionRegistration,
} from "../contracts/guarding.ts";
import { isSessionId } from "../protocol/session_id.ts";
import { isEventStream } from "../protocol/sse.ts";
import { parseRequestEventId } from "../requests/request_event_id.ts";
import { exposeHeaders } from "./cors.ts";
import { assertGuardArguments } from "./guard_arguments.ts";
import { SESSION_HEADER, VERSION_HEADER, withoutSessionId } from "./headers.ts";
import { isPerRequest } from "./protocol_version.ts";
import {
  discard,
  isTemporary,
  orNotFound,
  refusalReason,
  refuse,
  refuseSession,
} from "./refusals.ts";
import { asNewInitialize, LimitedRequest } from "./request_body.ts";
import { answerPost, primeFor, resumeRequest } from "./session_requests.ts";
import { answerWithoutSession } from "./sessionless_requests.ts";

const METHODS: readonly string[] = ["GET", "POST", "DELETE"];
const MAX_PRINCIPAL_LENGTH = 1_024;

/**
 * Enforces the session rules of MCP 2025-11-25 (Transports, "Session
 * Management") before and after a transport answers a request.
 */
export async function guard(
  sessions: SessionGate,
  request: Request,
  respond: Respond,
  options: GuardOptions = {},
): Promise<Response> {
  assertGuardArguments(request, respond, options);
  const { principal } = options;
  const limited = new LimitedRequest(request, sessions.maxBodyBytes);
  let response: Response | undefined;
  try {
    if (!limited.isTooLarge) {
      response = await answer(sessions, limited.request, respond, principal);
    }
  } catch (error) {
    if (!limited.isTooLarge) throw error;
  }
  if (limited.isTooLarge || response === undefined) {
    // The transport could not parse the body.
    if (response !== undefined) await discard(response);
    response = await refuse("tooLarge", request, respond);
  }
  const reason = refusalReason(response);
  if (reason === undefined) return exposeHeaders(response);
  sessions.onRefuse(reason, principal);
  return response;
}

async function answer(
  sessions: SessionGate,
  request: Request,
  respond: Respond,
  principal: string | undefined,
): Promise<Response> {
  const id = request.headers.get(SESSION_HEADER);
  if (id !== null && isPerRequest(request.headers.get(VERSION_HEADER))) {
    // MCP 2026-07-28 has no sessions, and says to ignore the header. Transports
    // that know only earlier revisions would use it.
    return orNotFound(await respond(withoutSessionId(request)));
  }
  if ((principal?.length ?? 0) > MAX_PRINCIPAL_LENGTH) {
    return refuseSession("invalidSession", request, respond);
  }
  if (id === null) {
    return answerWithoutSession(sessions, request, respond, principal);
  }
  if (!METHODS.includes(request.method)) {
    return orNotFound(await respond(request));
  }
  if (!isSessionId(id)) {
    return refuseSession("invalidSession", request, respond);
  }
  let registration: SessionRegistration | undefined;
  try {
    registration = await sessions.authorize(id, principal);
  } catch (error) {
    if (!isTemporary(error)) throw error;
    // The session may exist: after a 404 the client would begin a new one.
    return refuse("unavailable", request, respond);
  }
  if (registration === undefined) {
    // Some clients keep sending the ID of a session that is gone, also with
    // `initialize`. They would never connect again.
    const initialize = await asNewInitialize(request, sessions.limits);
    if (initialize === "slow") return refuse("slowBody", request, respond);
    return initialize === undefined
      ? refuseSession("unknownSession", request, respond)
      : answerWithoutSession(sessions, initialize, respond, principal);
  }
  if (request.method === "POST") {
    return answerPost(sessions, id, request, respond);
  }
  if (request.method === "DELETE") {
    const response = orNotFound(await respond(request));
    if (response.ok) sessions.requests?.endSession(id);
    return response;
  }
  return answerGet(sessions, id, registration, request, respond);
}

/** Answers a request for the stream of a session, or of one of its requests. */
async function answerGet(
  sessions: SessionGate,
  id: string,
  registration: SessionRegistration,
  request: Request,
  respond: Respond,
): Promise<Response> {
  const lastEventId = request.headers.get("last-event-id") || undefined;
  if (sessions.requests && lastEventId && parseRequestEventId(lastEventId)) {
    try {
      return await resumeRequest(sessions, id, lastEventId, request, respond);
    } catch (error) {
      if (isTemporary(error)) return refuse("unavailable", request, respond);
      throw error;
    }
  }
  let prepared: PreparedStream;
  try {
    prepared = sessions.prepareStream(id, registration, {
      lastEventId,
      prime: primeFor(request),
    });
  } catch (error) {
    if (isTemporary(error)) return refuse("unavailable", request, respond);
    throw error;
  }
  try {
    const response = orNotFound(await respond(request));
    if (isEventStream(response)) {
      if (sessions.isGone(id)) {
        // It was ended before its stream was attached.
        await discard(response);
        return refuseSession("unknownSession", request, respond);
      }
      sessions.onStream?.("streamable");
    }
    prepared.onResponse(response);
    return response;
  } finally {
    prepared.revoke();
  }
}
