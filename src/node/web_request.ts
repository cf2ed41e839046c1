import { createRequest } from "@remix-run/node-fetch-server";
import type { NodeRequest, NodeResponse } from "./node_types.ts";

/** Headers that describe the body as it was sent, not as it was parsed. */
const BODY_HEADERS = ["content-encoding", "transfer-encoding"];

type Incoming = Parameters<typeof createRequest>[0];
type Outgoing = Parameters<typeof createRequest>[1];

/**
 * Converts a request of `node:http` to a web `Request`.
 *
 * @param incoming The request.
 * @param outgoing Its response. If it closes early, the request is aborted.
 * @param parsedBody The body, if it was read before.
 * @throws {TypeError} If the body was read before, and is not known.
 */
export function toWebRequest(
  incoming: NodeRequest,
  outgoing: NodeResponse,
  parsedBody: unknown,
): Request {
  const { url } = incoming;
  // Routers remove the path that a handler is mounted on.
  incoming.url = incoming.originalUrl ?? url;
  try {
    return hasUnreadBody(incoming)
      ? createRequest(incoming as Incoming, outgoing as Outgoing)
      : withParsedBody(incoming, outgoing, parsedBody ?? incoming.body);
  } finally {
    incoming.url = url;
  }
}

/** Returns whether the body, if there is one, is still to be read. */
function hasUnreadBody({ method, readableEnded }: NodeRequest): boolean {
  return method === "GET" || method === "HEAD" || !readableEnded;
}

function withParsedBody(
  incoming: NodeRequest,
  outgoing: NodeResponse,
  parsedBody: unknown,
): Request {
  // As for a request without a body: the events of its end are over.
  const withoutBody = Object.create(incoming, { method: { value: "GET" } });
  const { url, headers, signal } = createRequest(
    withoutBody as Incoming,
    outgoing as Outgoing,
  );
  const { method = "POST" } = incoming;
  const body = isEmpty(headers) ? null : bytesOf(parsedBody);
  for (const name of BODY_HEADERS) headers.delete(name);
  headers.set("content-length", String(body?.length ?? 0));
  return new Request(url, { method, headers, body, signal });
}

function isEmpty(headers: Headers): boolean {
  return !headers.has("transfer-encoding") &&
    Number(headers.get("content-length") ?? 0) === 0;
}

function bytesOf(body: unknown): Uint8Array<ArrayBuffer> {
  if (body === undefined) {
    throw new TypeError(
      "The body of the request was read before the handler was called. Pass " +
        "it as the third argument, as in handler(request.raw, reply.raw, " +
        "request.body).",
    );
  }
  if (body instanceof Uint8Array) return Uint8Array.from(body);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new TextEncoder().encode(text);
}
