import { requestName } from "../replay/request_key.ts";

const REQUEST_EVENT_ID = /^(.+)~([0-9a-f]{32})$/;

/**
 * Formats the ID of an event of a request: its ID in the log, and the name of
 * the request. So a client that reconnects says which stream it wants.
 */
export function formatRequestEventId(logEventId: string, key: string): string {
  return `${logEventId}~${requestName(key)}`;
}

/** Parses the ID of an event of a request; undefined if it is another ID. */
export function parseRequestEventId(
  id: string,
): { readonly logEventId: string; readonly name: string } | undefined {
  const [, logEventId, name] = REQUEST_EVENT_ID.exec(id) ?? [];
  return logEventId === undefined || name === undefined
    ? undefined
    : { logEventId, name };
}
