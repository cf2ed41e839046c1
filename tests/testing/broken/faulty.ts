import {
  InMemorySessions,
  type Sessions,
  type SessionsOptions,
} from "@crossmcp/session-manager";

/** Creates sessions with a fault. */
export type CreateFaulty = (options: SessionsOptions) => Sessions;

type Guard = InMemorySessions["guard"];
type Send = InMemorySessions["streams"]["send"];
type PrepareStream = InMemorySessions["streams"]["prepareStream"];

/** Creates sessions, and adds a fault to them. */
export function withFault(
  addFault: (sessions: InMemorySessions) => void,
): CreateFaulty {
  return (options) => {
    const sessions = new InMemorySessions(options);
    addFault(sessions);
    return sessions;
  };
}

/** Creates sessions with changed options. */
export function withOptions(
  change: (options: SessionsOptions) => SessionsOptions,
): CreateFaulty {
  return (options) => new InMemorySessions(change(options));
}

/** Wraps the guard of sessions, for valid arguments. */
export function withGuard(
  guard: (
    next: Guard,
    sessions: InMemorySessions,
    ...args: Parameters<Guard>
  ) => ReturnType<Guard>,
): CreateFaulty {
  return withFault((sessions) => {
    const next: Guard = sessions.guard.bind(sessions);
    sessions.guard = (request, respond, options) =>
      request instanceof Request && typeof respond === "function"
        ? guard(next, sessions, request, respond, options)
        : next(request, respond, options);
  });
}

/** Changes the headers of GET requests before the guard gets them. */
export function withGetHeaders(
  change: (headers: Headers) => void,
): CreateFaulty {
  return withGuard((next, _, request, respond, options) => {
    const isStream = request.method === "GET" &&
      request.headers.has("mcp-session-id");
    if (!isStream) return next(request, respond, options);
    const headers = new Headers(request.headers);
    change(headers);
    return next(new Request(request.url, { headers }), respond, options);
  });
}

/** Changes the responses of requests that the guard rejects. */
export function withRejections(
  change: (response: Response) => Response,
): CreateFaulty {
  return withGuard(async (next, _, request, respond, options) => {
    let transportResponse: Response | null | undefined;
    const response = await next(
      request,
      async (request) => transportResponse = await respond(request),
      options,
    );
    return response === transportResponse ? response : change(response);
  });
}

/** Wraps `send` of the stream manager. */
export function withSend(
  send: (next: Send, ...args: Parameters<Send>) => void,
): CreateFaulty {
  return withFault(({ streams }) => {
    const next: Send = streams.send.bind(streams);
    streams.send = (...args) => send(next, ...args);
  });
}

/** Wraps `prepareStream` of the stream manager. */
export function withPrepareStream(
  prepareStream: (
    next: PrepareStream,
    ...args: Parameters<PrepareStream>
  ) => () => void,
): CreateFaulty {
  return withFault(({ streams }) => {
    const next: PrepareStream = streams.prepareStream.bind(streams);
    streams.prepareStream = (...args) => prepareStream(next, ...args);
  });
}

/** Rewrites each chunk of the streams that clients read. */
export function withStreamText(
  rewrite: (text: string) => string,
): CreateFaulty {
  return withGuard(async (next, _, request, respond, options) => {
    const response = await next(request, respond, options);
    const isStream = request.method === "GET" &&
      request.headers.has("mcp-session-id");
    if (!isStream || !response.body) return response;
    // Read only on demand, so that a slow reader stays slow.
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        const text = rewrite(decoder.decode(value, { stream: true }));
        controller.enqueue(encoder.encode(text));
      },
      cancel: () => reader.cancel(),
    }, { highWaterMark: 0 });
    return new Response(body, response);
  });
}
