import { formatValue } from "../runtime/describe.ts";
import type {
  GuardOptions,
  Respond,
  SessionGate,
} from "../contracts/guarding.ts";
import { InvalidArgumentError } from "../errors.ts";
import { isSessionId } from "../protocol/session_id.ts";

const HEADER = "mcp-session-id";
const VERSION_HEADER = "mcp-protocol-version";
/** Revisions without sessions. Any other, known or not, is held to their rules. */
const PER_REQUEST_VERSIONS: readonly string[] = ["2026-07-28"];
/** The revision that introduced the event without data. */
const PRIMED_SINCE = "2025-11-25";
const METHODS: readonly string[] = ["GET", "POST", "DELETE"];
const MAX_PRINCIPAL_LENGTH = 1_024;
/** After how many seconds a client is to try again. */
const RETRY_AFTER = 5;

/**
 * Holds a request to the rules for sessions before and after a transport answers
 * it: MCP 2025-11-25, Transports, "Session Management".
 */
export async function guard(
  sessions: SessionGate,
  request: Request,
  respond: Respond,
  { principal }: GuardOptions = {},
): Promise<Response> {
  if (principal !== undefined && typeof principal !== "string") {
    throw new InvalidArgumentError(
      "principal",
      `"principal" has to be a string, not ${formatValue(principal)}.`,
    );
  }
  const refuse = (status: keyof typeof REFUSALS) =>
    refusal(status, request, respond);
  const id = request.headers.get(HEADER);
  const isSessionMethod = METHODS.includes(request.method);
  if (id !== null && isPerRequest(request)) {
    // That era has no sessions: 2026-07-28 says to ignore the header, and a
    // transport that knows only the earlier revisions would not.
    const headers = new Headers(request.headers);
    headers.delete(HEADER);
    return answer(await respond(new Request(request, { headers })));
  }
  if ((principal?.length ?? 0) > MAX_PRINCIPAL_LENGTH) return refuse(400);
  if (id === null || !isSessionMethod) {
    const response = answer(await respond(request));
    const assigned = response.headers.get(HEADER);
    const isNew = id === null && request.method === "POST" && response.ok;
    if (!isNew || assigned === null) return response;
    try {
      if (await sessions.register(assigned, principal)) return response;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await response.body?.cancel();
      return refuse(503);
    }
    // Two clients were given the same id.
    await response.body?.cancel();
    return refuse(404);
  }
  if (!isSessionId(id)) return refuse(400);
  try {
    if (!await sessions.authorize(id, principal)) return refuse(404);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    // It may well exist: a client that is told otherwise would begin a new one.
    return refuse(503);
  }
  if (request.method !== "GET") return answer(await respond(request));
  let takeBack: () => void;
  try {
    takeBack = await sessions.prepareStream(id, {
      lastEventId: request.headers.get("last-event-id") || undefined,
      prime: isPrimed(request.headers.get(VERSION_HEADER)) || "named",
    });
  } catch (error) {
    if (isRefusal(error)) return refuse(503);
    throw error;
  }
  try {
    return answer(await respond(request));
  } finally {
    takeBack();
  }
}

/** What a request is refused with. The codes are those of the official SDKs. */
const REFUSALS = {
  400: { code: -32000, message: "Bad Request: invalid session ID" },
  404: { code: -32001, message: "Session not found" },
  503: { code: -32000, message: "Service Unavailable: try again later" },
} as const;

async function refusal(
  status: keyof typeof REFUSALS,
  request: Request,
  respond: Respond,
): Promise<Response> {
  // Nobody will read it, and some servers wait until somebody says so. Where it was
  // cloned, that is settled only when the clone is done with.
  request.body?.cancel().catch(() => {});
  const headers = await corsHeaders(request, respond);
  headers.set("content-type", "application/json");
  if (status === 503) headers.set("retry-after", String(RETRY_AFTER));
  const error = { jsonrpc: "2.0", id: null, error: REFUSALS[status] };
  return new Response(JSON.stringify(error), { status, headers });
}

/**
 * What lets a web page of another origin see a refusal: the transport's own answer
 * to that question.
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
    // It is refused all the same; the page sees that it failed, but not why.
  }
  return headers;
}

function answer(response: Response | null | undefined): Response {
  return response ?? new Response(null, { status: 404 });
}

function isPerRequest(request: Request): boolean {
  const version = request.headers.get(VERSION_HEADER);
  return version !== null && PER_REQUEST_VERSIONS.includes(version);
}

function isPrimed(version: string | null): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(version ?? "") && version! >= PRIMED_SINCE;
}

/** Whether there is no place now, or nobody knows. */
function isRefusal(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ERR_SESSION_LIMIT" || code === "ERR_CLOSED" ||
    code === "ERR_CLUSTER";
}
