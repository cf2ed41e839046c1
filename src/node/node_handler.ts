import { sendResponse } from "@remix-run/node-fetch-server";
import type { GuardOptions, Respond } from "../contracts/guarding.ts";
import { ClosedError, DeliveryError, InvalidArgumentError } from "../errors.ts";
import { formatValue } from "../format_value.ts";
import { isEventStream } from "../protocol/sse.ts";
import {
  type BodyReader,
  readerWithSink,
} from "../streams/output/sink_handover.ts";
import type { NodeHandler, NodeRequest, NodeResponse } from "./node_types.ts";
import { ResponseSink } from "./response_sink.ts";
import { toWebRequest } from "./web_request.ts";

/** The part of `Sessions` that a handler uses. */
export interface GuardingSessions {
  /** Passes a request to a transport, and enforces the session rules. */
  guard(
    request: Request,
    respond: Respond,
    options?: GuardOptions,
  ): Promise<Response>;
}

/** What is known of the sender of a request. */
export interface FetchOptions {
  /** The result of the `principal` option. */
  readonly principal?: string;
  /** The `auth` of the request, as authentication middleware sets it. */
  // The type of the official SDK's handlers, which have one of their own.
  // deno-lint-ignore no-explicit-any
  readonly authInfo?: any;
}

/** A handler of web requests, such as `createMcpHandler` of the official SDK. */
export interface FetchHandler {
  /** Answers a request. */
  fetch(request: Request, options?: FetchOptions): Response | Promise<Response>;
}

/** Options of {@linkcode toNodeHandler}. */
export interface NodeHandlerOptions<Request extends NodeRequest = NodeRequest> {
  /**
   * Returns the authenticated user of a request, for `sessions.guard`.
   *
   * @default undefined all clients count as the same user
   */
  readonly principal?:
    | ((request: Request) => string | undefined | Promise<string | undefined>)
    | undefined;
  /**
   * Called with errors of the transport, and with those of responses that fail
   * while they are sent. If the handler was called with `next`, the former go
   * there instead.
   *
   * @default undefined errors are written to the console
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Returns a handler for `node:http` and `node:http2` (its compatibility API),
 * Express, Connect, and the raw objects of Fastify. Needs the package
 * `@remix-run/node-fetch-server`.
 *
 * @example With `node:http` and Express
 * ```ts no-eval
 * import { InMemorySessions } from "@crossmcp/session-manager";
 * import { toNodeHandler } from "@crossmcp/session-manager/node";
 * import { HttpTransport } from "@tmcp/transport-http";
 * import express from "express";
 * import { createServer } from "node:http";
 * import { McpServer } from "tmcp";
 *
 * const server = new McpServer(
 *   { name: "example", version: "1.0.0" },
 *   { adapter: undefined, capabilities: {} },
 * );
 * const sessions = new InMemorySessions();
 * const transport = new HttpTransport(server, {
 *   path: "/mcp",
 *   sessionManager: sessions,
 *   subscriptionManager: sessions.subscriptions,
 * });
 * const handler = toNodeHandler(sessions, (r) => transport.respond(r));
 * createServer(handler).listen(3000);
 * express().all("/mcp", handler).listen(3001);
 * ```
 *
 * @param sessions The sessions, whose guard answers the requests.
 * @param respond The transport. If it returns `null`, because the request is
 * not for it, the answer is an empty 404.
 * @param options Who sends a request, and where errors go.
 * @throws {InvalidArgumentError} If an argument is invalid.
 */
export function toNodeHandler<Request extends NodeRequest = NodeRequest>(
  sessions: GuardingSessions,
  respond: Respond,
  options?: NodeHandlerOptions<Request>,
): NodeHandler<Request>;
/**
 * Returns the same for anything with a `fetch` method. It gets the principal and
 * `request.auth` as its second argument.
 *
 * @param handler Answers requests.
 * @param options Who sends a request, and where errors go.
 * @throws {InvalidArgumentError} If an argument is invalid.
 */
export function toNodeHandler<Request extends NodeRequest = NodeRequest>(
  handler: FetchHandler,
  options?: NodeHandlerOptions<Request>,
): NodeHandler<Request>;
export function toNodeHandler(
  target: GuardingSessions | FetchHandler,
  respondOrOptions?: Respond | NodeHandlerOptions,
  lastOptions?: NodeHandlerOptions,
): NodeHandler {
  const handler = fetchHandlerOf(target, respondOrOptions);
  const options = handler === target
    ? respondOrOptions as NodeHandlerOptions | undefined
    : lastOptions;
  const principal = options?.principal;
  const onError = options?.onError ?? ((error) => console.error(error));
  /** Lets the handler answer; undefined if the answer was sent already. */
  const answer = async (
    incoming: NodeRequest,
    outgoing: NodeResponse,
    nextOrBody: unknown,
  ): Promise<Answer | undefined> => {
    const next = typeof nextOrBody === "function" ? nextOrBody : undefined;
    let signal: AbortSignal | undefined;
    try {
      const body = next === undefined ? nextOrBody : undefined;
      const request = toWebRequest(incoming, outgoing, body);
      signal = request.signal;
      const response = await handler.fetch(
        request,
        fetchOptions(await principal?.(incoming), incoming.auth),
      );
      return { response, signal };
    } catch (error) {
      if (signal?.aborted) return undefined;
      if (next !== undefined) return next(error);
      onError(error);
      return void refuse(outgoing);
    }
  };
  return async (incoming, outgoing, nextOrBody) => {
    let signal: AbortSignal | undefined;
    // A function that awaits keeps its variables. The request and the response
    // are in functions that return at once, so that an open stream, which lasts
    // for hours, does not keep them: they take more than 1 KB.
    const sent = answer(incoming, outgoing, nextOrBody).then((answer) => {
      if (answer === undefined) return undefined;
      ({ signal } = answer);
      if (signal.aborted) return answer.response.body?.cancel();
      return send(outgoing, answer.response);
    });
    try {
      await sent;
    } catch (error) {
      // Nobody can tell the client, except by cutting it off.
      outgoing.destroy();
      if (!signal?.aborted && !isReported(error)) onError(error);
    } finally {
      // A body that was not read blocks the connection.
      const wasSent = signal !== undefined;
      if (wasSent && !incoming.readableEnded) incoming.resume();
    }
  };
}

/** The answer to a request, whose signal tells if its client disconnects. */
interface Answer {
  readonly response: Response;
  readonly signal: AbortSignal;
}

function send(outgoing: NodeResponse, response: Response): Promise<void> {
  let sent = response;
  if (isEventStream(response) && response.body !== null) {
    flushEachWrite(outgoing);
    const reader = readerWithSink(response.body, new ResponseSink(outgoing));
    if (reader !== undefined) sent = withReader(response, reader);
  }
  return sendResponse(outgoing as Parameters<typeof sendResponse>[0], sent);
}

/**
 * Returns the part of a response that is used to send it, with another body. A
 * `Response` and a stream for each connection would take 3 KB.
 */
function withReader(
  { status, statusText, headers }: Response,
  reader: BodyReader,
): Response {
  const body = { getReader: () => reader };
  return { status, statusText, headers, body } as unknown as Response;
}

/** Middleware that compresses holds back events until it has more of them. */
function flushEachWrite(outgoing: NodeResponse): void {
  if (outgoing.flush === undefined) return;
  const write = outgoing.write.bind(outgoing);
  outgoing.write = (chunk) => {
    const hasCapacity = write(chunk);
    outgoing.flush?.();
    return hasCapacity;
  };
}

function fetchHandlerOf(target: unknown, respond: unknown): FetchHandler {
  const { guard, fetch } = (target ?? {}) as Partial<
    GuardingSessions & FetchHandler
  >;
  if (typeof guard !== "function") {
    if (typeof fetch === "function") return target as FetchHandler;
    throw new InvalidArgumentError(
      "sessions",
      'The first argument must be sessions, or have a "fetch" method, but got ' +
        `${formatValue(target)}.`,
    );
  }
  if (typeof respond !== "function") {
    throw new InvalidArgumentError(
      "respond",
      `"respond" must be a function that answers a request, but got ` +
        `${
          formatValue(respond)
        }. Pass (request) => transport.respond(request).`,
    );
  }
  const sessions = target as GuardingSessions;
  return {
    fetch: (request, { principal } = {}) =>
      sessions.guard(request, respond as Respond, { principal }),
  };
}

function fetchOptions(
  principal: string | undefined,
  authInfo: unknown,
): FetchOptions {
  return {
    ...principal !== undefined && { principal },
    ...authInfo !== undefined && { authInfo },
  };
}

function refuse(outgoing: NodeResponse): void {
  if (outgoing.headersSent) outgoing.destroy();
  else {
    outgoing.statusCode = 500;
    outgoing.end();
  }
}

/** Returns whether an error was reported by the sessions. */
function isReported(error: unknown): boolean {
  return error instanceof DeliveryError || error instanceof ClosedError;
}
