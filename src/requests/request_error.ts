import { formatSseEvent } from "../protocol/sse.ts";
import type { MessageId } from "./message_target.ts";

/** "Internal error" (JSON-RPC 2.0, section 5.1). */
const INTERNAL_ERROR = -32_603;

/** Formats the event that answers a request with an error. */
export function formatRequestError(id: MessageId, message: string): string {
  const error = { code: INTERNAL_ERROR, message };
  const data = JSON.stringify({ jsonrpc: "2.0", id, error });
  return formatSseEvent({ event: "message", data });
}
