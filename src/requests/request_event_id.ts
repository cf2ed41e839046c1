import { decodeBase64Url, encodeBase64Url } from "../runtime/base64url.ts";
import { newRequestKey, requestName } from "../replay/request_key.ts";
import { isMessageId, type MessageId } from "./message_target.ts";

/** Each event repeats the ID of its request, so that must be short. */
const MAX_ID_LENGTH = 64;
const REQUEST_EVENT_ID = /^(.+)~([0-9a-f]{32}(?:\.([\w-]+))?)$/;

/**
 * Returns the key of a new request.
 *
 * @param sessionId The session ID.
 * @param requestId The ID of its message, if it is known. It is part of the
 * name, so that any node can answer the request with an error if the node that
 * works on it dies.
 */
export function newKey(
  sessionId: string,
  requestId: MessageId | undefined,
): string {
  const encoded = requestId === undefined ? "" : encode(requestId);
  const isShort = encoded !== "" && encoded.length <= MAX_ID_LENGTH;
  return newRequestKey(sessionId, isShort ? `.${encoded}` : "");
}

/**
 * Formats the ID of an event of a request: its ID in the log, and the name of
 * the request. So a client that reconnects says which stream it wants.
 */
export function formatRequestEventId(logEventId: string, key: string): string {
  return `${logEventId}~${requestName(key)}`;
}

/** Takes the place of the ID in the log, which the node that died had. */
const END = "end";

/**
 * Returns the ID of the error that ends a response after an event, if its node
 * has died; undefined if the event has no ID of a request. Without an ID, some
 * clients would open the stream of their session instead, a second time.
 */
export function finalEventIdAfter(eventId: string): string | undefined {
  const { name } = parseRequestEventId(eventId) ?? {};
  return name === undefined ? undefined : `${END}~${name}`;
}

/** Returns whether an event ID is one of {@linkcode finalEventIdAfter}. */
export function isFinalEventId(eventId: string): boolean {
  return parseRequestEventId(eventId)?.logEventId === END;
}

/** Parses the ID of an event of a request; undefined if it is another ID. */
export function parseRequestEventId(id: string): {
  readonly logEventId: string;
  readonly name: string;
  /** The ID of the request's message, if it was known. */
  readonly requestId: MessageId | undefined;
} | undefined {
  const [, logEventId, name, suffix] = REQUEST_EVENT_ID.exec(id) ?? [];
  if (logEventId === undefined || name === undefined) return undefined;
  return {
    logEventId,
    name,
    requestId: suffix === undefined ? undefined : decode(suffix),
  };
}

/** Header values are ASCII. */
function encode(id: MessageId): string {
  return encodeBase64Url(JSON.stringify(id));
}

function decode(text: string): MessageId | undefined {
  try {
    const id: unknown = JSON.parse(decodeBase64Url(text) ?? "");
    return isMessageId(id) ? id : undefined;
  } catch {
    return undefined;
  }
}
