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

/** One message of each kind; all but the last two store something. */
export const MESSAGES: readonly object[] = [
  INITIALIZE,
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

/** Stands for an access token that was verified: the guard is told its value. */
export const USER_HEADER = "x-user";

/** A server whose transport stands behind the guard. */
export interface GuardedServer extends RunningServer<InMemorySessions> {
  /** The same as `managers`. */
  readonly sessions: InMemorySessions;
  /** What the managers reported. */
  readonly reported: readonly Error[];
}

/** Options of {@linkcode startGuarded}. */
export interface GuardedOptions extends InMemorySessionsOptions {
  /** More options of `HttpTransport`. */
  readonly http?: HttpTransportOptions | undefined;
  /** Comes between the guard and the transport. */
  readonly wrapTransport?: ((respond: Respond) => Respond) | undefined;
}

/** Starts a server whose transport stands behind the guard. */
export async function startGuarded(
  engine: Engine,
  { http, wrapTransport = (respond) => respond, ...options }: GuardedOptions =
    {},
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
    http,
  });
  return { ...server, sessions, reported };
}

/** Sends a request; a body makes it a POST. */
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

/** Begins a session as a client does that opens no stream; returns its id. */
export async function beginSession(
  url: URL,
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await sendRequest(url, headers, INITIALIZE);
  await response.text();
  assertEquals(response.status, 200);
  return response.headers.get("mcp-session-id")!;
}

/** A network on which every request carries more headers. */
export function withHeaders(more: Record<string, string>): Fetch {
  return (url, init) => {
    const headers = new Headers(init?.headers);
    for (const [name, value] of Object.entries(more)) headers.set(name, value);
    return fetch(url, { ...init, headers });
  };
}

/** Fails unless an answer is the refusal of a session. */
export async function assertRefused(
  response: Response,
  status: 400 | 404 | 503,
): Promise<void> {
  assertEquals(response.status, status);
  assertEquals(response.headers.get("content-type"), "application/json");
  assertEquals(response.headers.get("mcp-session-id"), null);
  assertJsonRpcError(await response.text(), status);
}

/** Fails unless a text is the JSON-RPC error that goes with a status. */
export function assertJsonRpcError(text: string, status: number): void {
  const { error, ...rest } = JSON.parse(/\{.*\}/s.exec(text)?.[0] ?? "null");
  assertEquals(rest, { jsonrpc: "2.0", id: null });
  assertEquals(error.code, status === 404 ? -32001 : -32000);
  assertEquals(typeof error.message, "string");
}
