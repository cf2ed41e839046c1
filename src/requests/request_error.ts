import { DeliveryError } from "../errors.ts";
import { formatValue } from "../format_value.ts";
import { formatSseEvent } from "../protocol/sse.ts";
import type { MessageId } from "./message_target.ts";

/** "Internal error" (JSON-RPC 2.0, section 5.1). */
const INTERNAL_ERROR = -32_603;

/**
 * Formats the event that answers a request with an error.
 *
 * @param requestId The ID of the request's message.
 * @param message What happened.
 * @param id The ID of the event, if it has one already.
 */
export function formatRequestError(
  requestId: MessageId,
  message: string,
  id?: string,
): string {
  const error = { code: INTERNAL_ERROR, message };
  const data = JSON.stringify({ jsonrpc: "2.0", id: requestId, error });
  return formatSseEvent({ event: "message", id, data });
}

/** Formats the event that answers a request which the transport has failed. */
export function formatFailedRequest(requestId: MessageId): string {
  return formatRequestError(
    requestId,
    "The server failed to answer this request",
  );
}

/** Returns the error to report in that case. */
export function failedRequest(
  sessionId: string,
  cause: unknown,
): DeliveryError {
  return new DeliveryError(
    "The transport failed to answer a request of session " +
      `${formatValue(sessionId)}.`,
    { sessionId, cause },
  );
}
