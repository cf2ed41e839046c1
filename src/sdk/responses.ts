import type { StreamSessionManager } from "../contracts/stream_session_manager.ts";
import { SESSION_HEADER, VERSION_HEADER } from "../http/headers.ts";
import { errorResponse } from "../http/refusals.ts";
import { EVENT_STREAM_HEADERS } from "../http/session_requests.ts";

/** The revisions with sessions that the SDK knows. */
const VERSIONS: readonly string[] = [
  "2025-11-25",
  "2025-06-18",
  "2025-03-26",
  "2024-11-05",
  "2024-10-07",
];

/** Answers a GET request with the stream of a session. */
export function openStream(
  streams: StreamSessionManager,
  sessionId: string,
  { headers }: Request,
): Response {
  if (!headers.get("accept")?.includes("text/event-stream")) {
    return errorResponse(
      406,
      -32000,
      "Not Acceptable: Client must accept text/event-stream",
    );
  }
  const version = headers.get(VERSION_HEADER);
  if (version !== null && !VERSIONS.includes(version)) {
    return unsupportedVersion(version);
  }
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => streams.create(sessionId, controller),
    cancel: () => streams.delete(sessionId),
  });
  return new Response(body, {
    headers: { ...EVENT_STREAM_HEADERS, [SESSION_HEADER]: sessionId },
  });
}

/** Refuses a request because of the revision that it names. */
export function unsupportedVersion(version: string): Response {
  return errorResponse(
    400,
    -32000,
    `Bad Request: Unsupported protocol version: ${version} ` +
      `(supported versions: ${VERSIONS.join(", ")})`,
  );
}
