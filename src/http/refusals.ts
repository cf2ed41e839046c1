import type { Respond } from "../contracts/guarding.ts";
import type { RefusalReason } from "../contracts/refusal_reason.ts";
import { exposeHeaders, type Preflight, sendPreflight } from "./cors.ts";
import { SESSION_HEADER, withoutSessionId } from "./headers.ts";

/** After how many seconds a client should try again. */
const RETRY_AFTER = 5;

/**
 * Why a request is refused, and the response. The codes are those of the
 * official SDKs.
 */
const REFUSALS = {
  invalidSession: [400, -32000, "Bad Request: invalid session ID"],
  missingSession: [400, -32000, "Bad Request: Mcp-Session-Id is required"],
  unknownEvent: [400, -32000, "Bad Request: unknown Last-Event-ID"],
  unknownSession: [404, -32001, "Session not found"],
  tooLarge: [413, -32000, "Content Too Large"],
  slowBody: [408, -32000, "Request Timeout"],
  tooManySessions: [429, -32000, "Too Many Requests: too many sessions"],
  tooManyStreams: [429, -32000, "Too Many Requests: too many open streams"],
  tooManyRequests: [503, -32000, "Service Unavailable: too many open requests"],
  unavailable: [503, -32000, "Service Unavailable: try again later"],
} as const satisfies Readonly<
  Record<RefusalReason, readonly [status: number, code: number, text: string]>
>;

const reasons = new WeakMap<Response, RefusalReason>();

/** Returns why a response refuses a request; undefined if it doesn't. */
export function refusalReason(response: Response): RefusalReason | undefined {
  return response.status < 400 ? undefined : reasons.get(response);
}

/** Returns how to refuse a session that exceeds a limit of its client. */
export function limitRefusal(error: unknown): RefusalReason | undefined {
  const { code, option } = (error ?? {}) as {
    code?: unknown;
    option?: unknown;
  };
  if (code === "ERR_SESSION_LIMIT") return "unavailable";
  if (code !== "ERR_LIMIT") return undefined;
  return option === "info.maxSessionsPerPrincipal"
    ? "tooManySessions"
    : "tooLarge";
}

/**
 * Refuses a request because of its session ID. If the transport does not serve
 * the path, the response is the transport's own: the path has no sessions.
 */
export async function refuseSession(
  refusal: "invalidSession" | "unknownSession",
  request: Request,
  respond: Respond,
): Promise<Response> {
  const preflight = await sendPreflight(request, respond);
  if (preflight.isServed) return refusalOf(refusal, request, preflight);
  if (request.method !== "GET") {
    discardBody(request);
    return orNotFound(undefined);
  }
  const response = orNotFound(await respond(withoutSessionId(request)));
  if (!assignsSession(response)) return response;
  await discard(response);
  return refusalOf(refusal, request, preflight);
}

/** Refuses a request to a path that the transport serves. */
export async function refuse(
  refusal: RefusalReason,
  request: Request,
  respond: Respond,
): Promise<Response> {
  const preflight = request.headers.has("origin")
    ? await sendPreflight(request, respond)
    : undefined;
  return refusalOf(refusal, request, preflight);
}

/**
 * Returns whether an error means that there is no capacity, or that nobody can
 * tell at the moment.
 */
export function isTemporary(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ERR_SESSION_LIMIT" || code === "ERR_CLOSED" ||
    code === "ERR_CLUSTER";
}

/** Creates the response of a refusal, which the guard recognizes. */
export function refusalResponse(
  refusal: RefusalReason,
  headers?: HeadersInit,
): Response {
  const [status, code, message] = REFUSALS[refusal];
  const response = errorResponse(status, code, message, headers);
  reasons.set(response, refusal);
  return response;
}

/** Creates a response with a JSON-RPC error that belongs to no request. */
export function errorResponse(
  status: number,
  code: number,
  message: string,
  more?: HeadersInit,
): Response {
  const headers = new Headers(more);
  headers.set("content-type", "application/json");
  if (status === 503 || status === 429) {
    headers.set("retry-after", String(RETRY_AFTER));
  }
  const error = { jsonrpc: "2.0", id: null, error: { code, message } };
  return new Response(JSON.stringify(error), { status, headers });
}

/** Returns whether a transport has begun a session. */
export function assignsSession({ ok, headers }: Response): boolean {
  return ok && headers.has(SESSION_HEADER);
}

/** Ends a response that is not passed on. */
export async function discard({ body }: Response): Promise<void> {
  // A body that has failed rejects with that error: it has ended as well.
  await body?.cancel().catch(() => {});
}

/** The response of a transport, or an empty 404 if it has none. */
export function orNotFound(response: Response | null | undefined): Response {
  return response ?? new Response(null, { status: 404 });
}

function refusalOf(
  refusal: RefusalReason,
  request: Request,
  preflight: Preflight | undefined,
): Response {
  discardBody(request);
  const response = refusalResponse(refusal, preflight?.corsHeaders);
  const exposed = exposeHeaders(response);
  reasons.set(exposed, refusal);
  return exposed;
}

/** Some servers wait until the body of a request is read or cancelled. */
function discardBody({ body }: Request): void {
  // If the request was cloned, the promise only settles when the clone is done
  // as well. If the body is being read, it rejects.
  body?.cancel().catch(() => {});
}
