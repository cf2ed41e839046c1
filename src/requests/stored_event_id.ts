import { decodeBase64Url, encodeBase64Url } from "../runtime/base64url.ts";
import { hash } from "../runtime/hash.ts";

const STORED_EVENT_ID = /^(.+)~([\w-]*)\.([\da-z]{1,7})$/;

/**
 * Formats the ID of an event in a stream that a transport owns: its ID in the
 * log, the stream, and a hash of the session. So a client that reconnects says
 * which stream it wants, and an ID of another session is refused.
 *
 * @param logEventId The ID in the log.
 * @param sessionId The session.
 * @param streamId The stream, any string.
 */
export function formatStoredEventId(
  logEventId: string,
  sessionId: string,
  streamId: string,
): string {
  return `${logEventId}~${encodeBase64Url(streamId)}.${hashOf(sessionId)}`;
}

/** Parses such an ID; undefined if it is another ID, or of another session. */
export function parseStoredEventId(
  id: string,
  sessionId: string,
): { readonly logEventId: string; readonly streamId: string } | undefined {
  const [, logEventId, encoded, session] = STORED_EVENT_ID.exec(id) ?? [];
  if (logEventId === undefined || session !== hashOf(sessionId)) {
    return undefined;
  }
  const streamId = decodeBase64Url(encoded!);
  return streamId === undefined ? undefined : { logEventId, streamId };
}

function hashOf(sessionId: string): string {
  return hash(sessionId).toString(36);
}
