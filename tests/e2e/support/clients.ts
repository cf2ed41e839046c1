import { Client as ModernClient } from "@modelcontextprotocol/client";
import { StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
// Deno doesn't find types for import paths that have an extension.
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/sse"
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type {
  CallToolResult,
  ClientCapabilities,
} from "@modelcontextprotocol/sdk/types";
import { until } from "./until.ts";

/** The protocol version of the per-request era. */
export const PER_REQUEST_VERSION = "2026-07-28";

/** A notification that a client received. */
export interface ReceivedNotification {
  readonly method: string;
  readonly params?: Record<string, unknown> | undefined;
}

/** An official client and what it received. */
export interface Connected<C, T> extends AsyncDisposable {
  readonly client: C;
  readonly transport: T;
  /** All notifications, oldest first. */
  readonly notifications: readonly ReceivedNotification[];
  /** The errors that the client reported. */
  readonly errors: readonly Error[];
  /** Closes all connections. */
  close(): Promise<void>;
}

/** A client of the session era. */
export interface ConnectedSession<T> extends Connected<Client, T> {
  readonly sessionId: string;
  /** Aborts the GET stream, like a network failure. */
  breakStream(): void;
}

/** Options of the connect functions. */
export interface ConnectOptions {
  readonly name?: string | undefined;
  readonly capabilities?: ClientCapabilities | undefined;
  /**
   * Whether to reopen a stream that ended, after a short delay and without a
   * limit.
   */
  readonly reconnect?: boolean | undefined;
  /** A replacement for `fetch`. Defaults to the runtime's own. */
  readonly fetch?: Fetch | undefined;
}

/** The function that clients send requests with. */
export type Fetch = (
  url: string | URL,
  init?: RequestInit,
) => Promise<Response>;

/** The part of a stream manager that tells whether a stream is attached. */
export interface Streams {
  has(id: string): boolean | Promise<boolean>;
}

/** Connects over Streamable HTTP. Resolves when the GET stream is open. */
export async function connectHttp(
  url: URL,
  streams: Streams,
  options: ConnectOptions = {},
): Promise<ConnectedSession<StreamableHTTPClientTransport>> {
  const { name = "alice", capabilities = {}, reconnect = false } = options;
  const network = new Network(options.fetch);
  const transport = new StreamableHTTPClientTransport(url, {
    fetch: network.fetch,
    reconnectionOptions: reconnectionOptions(reconnect),
  });
  const connected = await connect(transport, name, capabilities);
  const sessionId = transport.sessionId!;
  await until(() => streams.has(sessionId), "the GET stream");
  return { ...connected, sessionId, breakStream: () => network.breakStream() };
}

function reconnectionOptions(reconnect: boolean) {
  return {
    initialReconnectionDelay: 10,
    maxReconnectionDelay: 10,
    reconnectionDelayGrowFactor: 1,
    maxRetries: reconnect ? 400 : 0,
  };
}

/** Connects over HTTP with SSE, the transport of 2024-11-05. */
export async function connectSse(
  url: URL,
  { name = "alice", capabilities = {} }: ConnectOptions = {},
): Promise<ConnectedSession<SSEClientTransport>> {
  const network = new Network();
  const transport = new SSEClientTransport(url, { fetch: network.fetch });
  const connected = await connect(transport, name, capabilities);
  return {
    ...connected,
    sessionId: network.sessionId!,
    breakStream: () => network.breakStream(),
  };
}

async function connect<
  T extends StreamableHTTPClientTransport | SSEClientTransport,
>(
  transport: T,
  name: string,
  capabilities: ClientCapabilities,
): Promise<Connected<Client, T>> {
  const client = new Client({ name, version: "1.2.3" }, { capabilities });
  const recorded = record(client, transport);
  // The SDK's types don't support `exactOptionalPropertyTypes`.
  await client.connect(transport as Parameters<Client["connect"]>[0]);
  return recorded;
}

/**
 * Connects the official client 2.x over Streamable HTTP, in the session era.
 * Resolves when the GET stream is open.
 */
export async function connectHttp2(
  url: URL,
  streams: Streams,
  { name = "alice", fetch, reconnect = false }: ConnectOptions = {},
): Promise<Connected<ModernClient, ModernTransport>> {
  const client = new ModernClient({ name, version: "1.2.3" });
  const transport = new ModernTransport(url, {
    ...fetch && { fetch },
    reconnectionOptions: reconnectionOptions(reconnect),
  });
  const recorded = record(client, transport);
  await client.connect(transport);
  await until(() => streams.has(transport.sessionId!), "the GET stream");
  return recorded;
}

/** Connects in the per-request era, without a session. */
export async function connectModern(
  url: URL,
  { name = "alice", fetch }: ConnectOptions = {},
): Promise<Connected<ModernClient, ModernTransport>> {
  const client = new ModernClient({ name, version: "1.2.3" }, {
    versionNegotiation: { mode: { pin: PER_REQUEST_VERSION } },
  });
  const transport = new ModernTransport(url, fetch && { fetch });
  const recorded = record(client, transport);
  await client.connect(transport);
  return recorded;
}

/** Records the notifications and errors of a client. */
function record<C extends Client | ModernClient, T>(
  client: C,
  transport: T,
): Connected<C, T> {
  const notifications: ReceivedNotification[] = [];
  const errors: Error[] = [];
  client.fallbackNotificationHandler = (notification) => {
    notifications.push(notification);
    return Promise.resolve();
  };
  client.onerror = (error) => errors.push(error);
  const close = () => client.close();
  return {
    client,
    transport,
    notifications,
    errors,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Calls a tool that returns the client data the server stored. */
export async function whoAmI(client: Client | ModernClient): Promise<unknown> {
  const result = await client.callTool({ name: "who-am-i" }) as CallToolResult;
  const [content] = result.content;
  return JSON.parse(content?.type === "text" ? content.text : "null");
}

/** Returns the methods of notifications, with the URI if there is one. */
export function summary(
  notifications: readonly ReceivedNotification[],
): string[] {
  return notifications.map(({ method, params }) =>
    params?.uri === undefined ? method : `${method} ${params.uri}`
  );
}

/** Wraps `fetch` so that GET streams can be aborted. */
class Network {
  readonly #fetch: Fetch;
  /** Deno can't abort a response body once the response was garbage collected. */
  readonly #responses: Response[] = [];
  #abortController = new AbortController();
  sessionId: string | undefined;

  constructor(baseFetch: Fetch = fetch) {
    this.#fetch = baseFetch;
  }

  readonly fetch = async (
    url: string | URL,
    init: RequestInit = {},
  ): Promise<Response> => {
    const signals = [this.#abortController.signal];
    if (init.signal) signals.push(init.signal);
    const isStream = init.method === undefined || init.method === "GET";
    const response = await this.#fetch(
      url,
      isStream ? { ...init, signal: AbortSignal.any(signals) } : init,
    );
    if (isStream) this.#responses.push(response);
    this.sessionId ??= response.headers.get("mcp-session-id") ?? undefined;
    return response;
  };

  breakStream(): void {
    this.#abortController.abort(new Error("The network failed."));
    this.#abortController = new AbortController();
  }
}
