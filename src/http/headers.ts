/** The header with the session ID. */
export const SESSION_HEADER = "Mcp-Session-Id";
/** The header with the revision of the protocol. */
export const VERSION_HEADER = "MCP-Protocol-Version";

/** Returns a copy of a request without its session ID. */
export function withoutSessionId(request: Request): Request {
  const headers = new Headers(request.headers);
  headers.delete(SESSION_HEADER);
  return new Request(request, { headers });
}
