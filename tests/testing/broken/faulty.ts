import {
  InMemorySessions,
  type Sessions,
  type SessionsOptions,
} from "@crossmcp/session-manager";

/** Makes sessions with a fault. */
export type Faulty = (options: SessionsOptions) => Sessions;

type Guard = InMemorySessions["guard"];
type Send = InMemorySessions["streams"]["send"];
type Expect = InMemorySessions["streams"]["prepareStream"];

/** Makes sessions, and does something to them. */
export function faulty(break_: (sessions: InMemorySessions) => void): Faulty {
  return (options) => {
    const sessions = new InMemorySessions(options);
    break_(sessions);
    return sessions;
  };
}

/** Makes sessions with other options than those that were asked for. */
export function configured(
  change: (options: SessionsOptions) => SessionsOptions,
): Faulty {
  return (options) => new InMemorySessions(change(options));
}

/** Puts a guard in front of the guard. */
export function guarded(
  guard: (
    next: Guard,
    sessions: InMemorySessions,
    ...args: Parameters<Guard>
  ) => ReturnType<Guard>,
): Faulty {
  return faulty((sessions) => {
    const next: Guard = sessions.guard.bind(sessions);
    sessions.guard = (...args) => guard(next, sessions, ...args);
  });
}

/** Asks the guard for something else than what the client asks for. */
export function asked(change: (headers: Headers) => void): Faulty {
  return guarded((next, _, request, respond, options) => {
    const isStream = request.method === "GET" &&
      request.headers.has("mcp-session-id");
    if (!isStream) return next(request, respond, options);
    const headers = new Headers(request.headers);
    change(headers);
    return next(new Request(request.url, { headers }), respond, options);
  });
}

/** Answers something else than the guard does where it refuses. */
export function refusing(change: (response: Response) => Response): Faulty {
  return guarded(async (next, _, request, respond, options) => {
    let passed: Response | null | undefined;
    const response = await next(
      request,
      async (request) => passed = await respond(request),
      options,
    );
    return response === passed ? response : change(response);
  });
}

/** Sends something else, or to others. */
export function sent(
  send: (next: Send, ...args: Parameters<Send>) => void,
): Faulty {
  return faulty(({ streams }) => {
    const next: Send = streams.send.bind(streams);
    streams.send = (...args) => send(next, ...args);
  });
}

/** Expects streams in another way. */
export function expected(
  expect: (next: Expect, ...args: Parameters<Expect>) => () => void,
): Faulty {
  return faulty(({ streams }) => {
    const next: Expect = streams.prepareStream.bind(streams);
    streams.prepareStream = (...args) => expect(next, ...args);
  });
}

/** Writes something else into the streams of clients. */
export function written(rewrite: (text: string) => string): Faulty {
  return guarded(async (next, _, request, respond, options) => {
    const response = await next(request, respond, options);
    if (request.method !== "GET" || !response.body) return response;
    // Reads on only when it is asked to, so that a slow reader stays slow.
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
