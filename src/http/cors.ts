import type { Respond } from "../contracts/guarding.ts";
import { SESSION_HEADER } from "./headers.ts";

const EXPOSE_HEADER = "access-control-expose-headers";
/** What clients read of a response, if it is there. */
const EXPOSED_IF_SENT: readonly string[] = ["Retry-After", "WWW-Authenticate"];

/**
 * Lets a web page of another origin read the headers that MCP clients need,
 * if the transport lets it read the response at all. Without this, a page
 * cannot see its session ID.
 */
export function exposeHeaders(response: Response): Response {
  const { headers } = response;
  if (!headers.has("access-control-allow-origin")) return response;
  const exposed = (headers.get(EXPOSE_HEADER) ?? "").toLowerCase()
    .split(",").map((name) => name.trim());
  const missing = [
    SESSION_HEADER,
    ...EXPOSED_IF_SENT.filter((name) => headers.has(name)),
  ].filter((name) => !exposed.includes(name.toLowerCase()));
  if (missing.length === 0) return response;
  const mutable = isMutable(headers)
    ? response
    : new Response(response.body, response);
  mutable.headers.append(EXPOSE_HEADER, missing.join(", "));
  return mutable;
}

/** The headers of a response that was fetched cannot be changed. */
function isMutable(headers: Headers): boolean {
  try {
    headers.delete("x-not-there");
    return true;
  } catch {
    return false;
  }
}

/** How a transport answers an `OPTIONS` request. */
export interface Preflight {
  /** Whether the transport serves this path. */
  readonly isServed: boolean;
  /** The headers that let a web page of another origin read a response. */
  readonly corsHeaders: Headers;
}

/** Sends a transport the `OPTIONS` request of a browser. */
export async function sendPreflight(
  request: Request,
  respond: Respond,
): Promise<Preflight> {
  const corsHeaders = new Headers();
  const origin = request.headers.get("origin");
  const headers: HeadersInit = origin === null ? {} : { origin };
  let response: Response | null | undefined;
  try {
    response = await respond(
      new Request(request.url, { method: "OPTIONS", headers }),
    );
    await response?.body?.cancel();
  } catch {
    // The transport serves the path, but fails at this.
    return { isServed: true, corsHeaders };
  }
  if (origin !== null) {
    for (const [name, value] of response?.headers ?? []) {
      if (name.startsWith("access-control-") || name === "vary") {
        corsHeaders.set(name, value);
      }
    }
  }
  const isServed = !!response && response.status !== 404;
  return { isServed, corsHeaders };
}
