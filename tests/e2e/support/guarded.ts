import {
  InMemorySessions,
  type InMemorySessionsOptions,
  type Respond,
} from "@crossmcp/session-manager";
import { assertEquals } from "@std/assert";
import type { HttpTransportOptions } from "@tmcp/transport-http";
import type { Fetch } from "./clients.ts";
import type { Engine } from "./serve.ts";
import { INITIALIZE, NEWS, type RunningServer, startServer } from "./server.ts";

/** One message of each kind. All but the last two store something. */
export const SESSION_MESSAGES: readonly object[] = [
  {
    jsonrpc: "2.0",
    id: 2,
    method: "resources/subscribe",
    params: { uri: NEWS },
  },
  {
    jsonrpc: "2.0",
    id: 3,
    method: "logging/setLevel",
    params: { level: "debug" },
  },
  { jsonrpc: "2.0", method: "notifications/initialized" },
  {
    jsonrpc: "2.0",
    id: 4,
    method: "tools/call",
    params: { name: "who-am-i" },
  },
];

/** The same, and the message that begins a session. */
export const MESSAGES: readonly object[] = [INITIALIZE, ...SESSION_MESSAGES];

/** Simulates authentication: holds the principal that is passed to the guard. */
export const USER_HEADER = "x-user";

/** A server whose transport is behind the guard. */
export interface GuardedServer extends RunningServer<InMemorySessions> {
  /** Alias of `managers`. */
  readonly sessions: InMemorySessions;
  /** The errors that were reported to `onError`. */
  readonly reported: readonly Error[];
}

/** Options of {@linkcode startGuarded}. */
export interface GuardedOptions extends InMemorySessionsOptions {
  /** Additional options of `HttpTransport`. */
  readonly transport?: HttpTransportOptions | undefined;
  /** Wraps the transport that the guard calls. */
  readonly wrapTransport?: ((respond: Respond) => Respond) | undefined;
}

/** Starts a server whose transport is behind the guard. */
export async function startGuarded(
  engine: Engine,
  { transport, wrapTransport = (respond) => respond, ...options }:
    GuardedOptions = {},
): Promise<GuardedServer> {
  const reported: Error[] = [];
  const sessions = new InMemorySessions({
    onError: (error) => reported.push(error),
    ...options,
  });
  const server = await startServer({
    engine,
    managers: sessions,
    guard: (request, respond) =>
      sessions.guard(request, wrapTransport(respond), {
        principal: request.headers.get(USER_HEADER) ?? undefined,
      }),
    http: transport,
  });
  return { ...server, sessions, reported };
}

/** Sends a GET request, or a POST request if there is a body. */
export function sendRequest(
  url: URL,
  headers: Record<string, string>,
  body?: object,
): Promise<Response> {
  const accept = "application/json, text/event-stream";
  return body === undefined
    ? fetch(url, { headers: { accept, ...headers } })
    : fetch(url, {
      method: "POST",
      headers: { accept, "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
}

/** Initializes a session without opening a stream. Returns the session ID. */
export async function beginSession(
  url: URL,
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await sendRequest(url, headers, INITIALIZE);
  await response.text();
  assertEquals(response.status, 200);
  return response.headers.get("mcp-session-id")!;
}

/** Returns a `fetch` function that adds headers to every request. */
export function withHeaders(more: Record<string, string>): Fetch {
  return (url, init) => {
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(more)) headers.set(name, value);
    return fetch(url, { ...init, headers });
  };
}

/** Asserts that a response is a refusal of the guard. */
export async function assertRefused(
  response: Response,
  status: 400 | 404 | 408 | 413 | 503,
): Promise<void> {
  assertEquals(response.status, status);
  assertEquals(response.headers.get("content-type"), "application/json");
  assertEquals(response.headers.get("mcp-session-id"), null);
  assertJsonRpcError(await response.text(), status);
}

/** Asserts that a text is the JSON-RPC error for a status. */
export function assertJsonRpcError(text: string, status: number): void {
  const { error, ...rest } = JSON.parse(/\{.*\}/s.exec(text)?.[0] ?? "null");
  assertEquals(rest, { jsonrpc: "2.0", id: null });
  assertEquals(error.code, status === 404 ? -32001 : -32000);
  assertEquals(typeof error.message, "string");
}
