/** An ID of JSON-RPC, or a progress token of MCP. */
export type MessageId = string | number;

/**
 * The request that a message of a client is about. It is open on one node, and
 * only the transport there can do something with the message.
 */
export interface MessageTarget {
  /**
   * - `response`: the message answers a request of the server.
   * - `progress`: the client reports the progress of a request of the server.
   * - `cancelled`: the client cancels its own request.
   */
  readonly kind: "response" | "progress" | "cancelled";
  /** The ID of that request, or its progress token. */
  readonly id: MessageId;
}

/** Returns the request that a message is about, if it is about one. */
export function targetOf(message: unknown): MessageTarget | undefined {
  const { id, method, params, ...rest } = asObject(message);
  if (method === undefined) {
    const isResponse = "result" in rest || "error" in rest;
    return isResponse ? target("response", id) : undefined;
  }
  if (method === "notifications/cancelled") {
    return target("cancelled", asObject(params).requestId);
  }
  if (method === "notifications/progress") {
    return target("progress", asObject(params).progressToken);
  }
  return undefined;
}

/** Returns the ID of a JSON-RPC request; undefined for other messages. */
export function requestIdOf(message: unknown): MessageId | undefined {
  const { id, method } = asObject(message);
  return method !== undefined && isMessageId(id) ? id : undefined;
}

/** Returns the progress token of a request. */
export function progressTokenOf(message: unknown): MessageId | undefined {
  const { progressToken } = asObject(asObject(asObject(message).params)._meta);
  return isMessageId(progressToken) ? progressToken : undefined;
}

/** Returns whether a value is an ID of JSON-RPC. */
export function isMessageId(value: unknown): value is MessageId {
  return typeof value === "string" || typeof value === "number";
}

function target(
  kind: MessageTarget["kind"],
  id: unknown,
): MessageTarget | undefined {
  return isMessageId(id) ? { kind, id } : undefined;
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null
    ? value as Record<string, unknown>
    : {};
}
