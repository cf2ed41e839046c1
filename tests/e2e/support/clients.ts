import { Client as ModernClient } from "@modelcontextprotocol/client";
import { StreamableHTTPClientTransport as ModernTransport } from "@modelcontextprotocol/client";
// Deno finds no types under the paths with an extension.
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

/** The revision of the per-request era. */
export const PER_REQUEST_VERSION = "2026-07-28";

/** A notification as a client got it. */
export interface ReceivedNotification {
  readonly method: string;
  readonly params?: Record<string, unknown> | undefined;
}

/** An official client, and what it saw. */
export interface Connected<C, T> extends AsyncDisposable {
  readonly client: C;
  readonly transport: T;
  /** Every notification, the oldest first. */
  readonly notifications: readonly ReceivedNotification[];
  /** What the client reported. */
  readonly errors: readonly Error[];
  /** Lets go of all connections. */
  close(): Promise<void>;
}

/** A client of the session era. */
export interface ConnectedSession<T> extends Connected<Client, T> {
  readonly sessionId: string;
  /** Breaks the stream of notifications off, as a failing network does. */
  breakStream(): void;
}

/** Options of the functions that connect a client. */
export interface ConnectOptions {
  readonly name?: string | undefined;
  readonly capabilities?: ClientCapabilities | undefined;
  /** Whether a stream that ends is opened again, soon and as often as needed. */
  readonly reconnect?: boolean | undefined;
  /** What stands for the network; the runtime's own when left out. */
  readonly fetch?: Fetch | undefined;
}

/** What the clients call to send requests. */
export type Fetch = (
  url: string | URL,
  init?: RequestInit,
) => Promise<Response>;

/** Tells whether a stream is attached; both packages' managers do. */
interface Streams {
  has(id: string): boolean | Promise<boolean>;
}

/** Connects over Streamable HTTP; its stream of notifications is open then. */
export async function connectHttp(
  url: URL,
  streams: Streams,
  options: ConnectOptions = {},
): Promise<ConnectedSession<StreamableHTTPClientTransport>> {
  const { name = "alice", capabilities = {}, reconnect = false } = options;
  const network = new Network(options.fetch);
  const transport = new StreamableHTTPClientTransport(url, {
    fetch: network.fetch,
    reconnectionOptions: {
      initialReconnectionDelay: 10,
      maxReconnectionDelay: 10,
      reconnectionDelayGrowFactor: 1,
      maxRetries: reconnect ? 400 : 0,
    },
  });
  const connected = await connect(transport, name, capabilities);
  const sessionId = transport.sessionId!;
  await until(() => streams.has(sessionId), "the stream of notifications");
  return { ...connected, sessionId, breakStream: () => network.breakStream() };
}

/** Connects over the transport of 2024-11-05. */
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
  const watched = watch(client, transport);
  // The SDK is not written for exact optional properties.
  await client.connect(transport as Parameters<Client["connect"]>[0]);
  return watched;
}

/** Connects in the per-request era, which has no sessions. */
export async function connectModern(
  url: URL,
  { name = "alice", fetch }: ConnectOptions = {},
): Promise<Connected<ModernClient, ModernTransport>> {
  const client = new ModernClient({ name, version: "1.2.3" }, {
    versionNegotiation: { mode: { pin: PER_REQUEST_VERSION } },
  });
  const transport = new ModernTransport(url, fetch && { fetch });
  const watched = watch(client, transport);
  await client.connect(transport);
  return watched;
}

/** Writes down what a client sees, from the start. */
function watch<C extends Client | ModernClient, T>(
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

/** What the server remembers of a client, asked in a request of its own. */
export async function whoAmI(client: Client | ModernClient): Promise<unknown> {
  const result = await client.callTool({ name: "who-am-i" }) as CallToolResult;
  const [content] = result.content;
  return JSON.parse(content?.type === "text" ? content.text : "null");
}

/** The methods of notifications, the URI included where there is one. */
export function summary(
  notifications: readonly ReceivedNotification[],
): string[] {
  return notifications.map(({ method, params }) =>
    params?.uri === undefined ? method : `${method} ${params.uri}`
  );
}

/** The real network, and a way to break the streams that were opened by GET. */
class Network {
  readonly #fetch: Fetch;
  /** Deno breaks the body of a response off only as long as somebody holds it. */
  readonly #responses: Response[] = [];
  #breaker = new AbortController();
  sessionId: string | undefined;

  constructor(given: Fetch = fetch) {
    this.#fetch = given;
  }

  readonly fetch = async (
    url: string | URL,
    init: RequestInit = {},
  ): Promise<Response> => {
    const signals = [this.#breaker.signal];
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
    this.#breaker.abort(new Error("The network failed."));
    this.#breaker = new AbortController();
  }
}
