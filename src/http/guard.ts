import {
  assertKnownOptions,
  GUARD_OPTIONS,
} from "../contracts/known_options.ts";
import { formatValue } from "../format_value.ts";
import type {
  GuardOptions,
  Respond,
  SessionGate,
  SessionRegistration,
} from "../contracts/guarding.ts";
import { InvalidArgumentError } from "../errors.ts";
import { isSessionId } from "../protocol/session_id.ts";

const HEADER = "mcp-session-id";
const VERSION_HEADER = "mcp-protocol-version";
/**
 * Revisions without sessions. All others, known or not, must follow the session
 * rules.
 */
const PER_REQUEST_VERSIONS: readonly string[] = ["2026-07-28"];
/** The revision that introduced the priming event without data. */
const PRIMED_SINCE = "2025-11-25";
const METHODS: readonly string[] = ["GET", "POST", "DELETE"];
const MAX_PRINCIPAL_LENGTH = 1_024;
/** After how many seconds a client should try again. */
const RETRY_AFTER = 5;

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
  assertKnownOptions(options, GUARD_OPTIONS);
  const { principal } = options;
  if (principal !== undefined && typeof principal !== "string") {
    throw new InvalidArgumentError(
      "principal",
      `"principal" must be a string, but got ${formatValue(principal)}.`,
    );
  }
  const refuse = (status: keyof typeof REFUSALS) =>
    refuseRequest(status, request, respond);
  const id = request.headers.get(HEADER);
  const isSessionMethod = METHODS.includes(request.method);
  if (id !== null && isPerRequest(request)) {
    // MCP 2026-07-28 has no sessions, and says to ignore the header. Transports
    // that know only earlier revisions would use it.
    const headers = new Headers(request.headers);
    headers.delete(HEADER);
    return orNotFound(await respond(new Request(request, { headers })));
  }
  if ((principal?.length ?? 0) > MAX_PRINCIPAL_LENGTH) return refuse(400);
  if (id === null || !isSessionMethod) {
    const response = orNotFound(await respond(request));
    const assigned = response.headers.get(HEADER);
    const isNew = id === null && request.method === "POST" && response.ok;
    if (!isNew || assigned === null) return response;
    try {
      if (await sessions.register(assigned, principal)) return response;
    } catch (error) {
      if (!isTemporary(error)) throw error;
      await response.body?.cancel();
      return refuse(503);
    }
    // The transport assigned the same ID to two clients.
    await response.body?.cancel();
    return refuse(404);
  }
  if (!isSessionId(id)) return refuse(400);
  let registration: SessionRegistration | undefined;
  try {
    registration = await sessions.authorize(id, principal);
  } catch (error) {
    if (!isTemporary(error)) throw error;
    // The session may exist: after a 404 the client would begin a new one.
    return refuse(503);
  }
  if (registration === undefined) return refuse(404);
  if (request.method !== "GET") return orNotFound(await respond(request));
  let revoke: () => void;
  try {
    revoke = sessions.prepareStream(id, registration, {
      lastEventId: request.headers.get("last-event-id") || undefined,
      prime: isPrimed(request.headers.get(VERSION_HEADER)) || "named",
    });
  } catch (error) {
    if (isTemporary(error)) return refuse(503);
    throw error;
  }
  try {
    return orNotFound(await respond(request));
  } finally {
    revoke();
  }
}

/** The bodies of refusals. The codes are those of the official SDKs. */
const REFUSALS = {
  400: { code: -32000, message: "Bad Request: invalid session ID" },
  404: { code: -32001, message: "Session not found" },
  503: { code: -32000, message: "Service Unavailable: try again later" },
} as const;

async function refuseRequest(
  status: keyof typeof REFUSALS,
  request: Request,
  respond: Respond,
): Promise<Response> {
  // Some servers wait until the body is read or cancelled. If it was cloned,
  // the promise only settles when the clone is done as well.
  request.body?.cancel().catch(() => {});
  const headers = await corsHeaders(request, respond);
  headers.set("content-type", "application/json");
  if (status === 503) headers.set("retry-after", String(RETRY_AFTER));
  const error = { jsonrpc: "2.0", id: null, error: REFUSALS[status] };
  return new Response(JSON.stringify(error), { status, headers });
}

/**
 * Returns the headers that let a web page of another origin read a refusal:
 * those with which the transport answers an OPTIONS request.
 */
async function corsHeaders(
  request: Request,
  respond: Respond,
): Promise<Headers> {
  const headers = new Headers();
  const origin = request.headers.get("origin");
  if (origin === null) return headers;
  try {
    const preflight = await respond(
      new Request(request.url, { method: "OPTIONS", headers: { origin } }),
    );
    await preflight?.body?.cancel();
    for (const [name, value] of preflight?.headers ?? []) {
      if (name.startsWith("access-control-") || name === "vary") {
        headers.set(name, value);
      }
    }
  } catch {
    // The request is refused anyway; the page sees that it failed, but not why.
  }
  return headers;
}

function orNotFound(response: Response | null | undefined): Response {
  return response ?? new Response(null, { status: 404 });
}

function isPerRequest(request: Request): boolean {
  const version = request.headers.get(VERSION_HEADER);
  return version !== null && PER_REQUEST_VERSIONS.includes(version);
}

function isPrimed(version: string | null): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(version ?? "") && version! >= PRIMED_SINCE;
}

/**
 * Returns whether an error means that there is no capacity, or that nobody can
 * tell at the moment.
 */
function isTemporary(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ERR_SESSION_LIMIT" || code === "ERR_CLOSED" ||
    code === "ERR_CLUSTER";
}
