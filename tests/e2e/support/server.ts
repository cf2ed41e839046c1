import { InMemorySessions, type Respond } from "@crossmcp/session-manager";
import { HttpTransport, type HttpTransportOptions } from "@tmcp/transport-http";
import { SseTransport } from "@tmcp/transport-sse";
import { McpServer } from "tmcp";
import { type Engine, serve } from "./serve.ts";

/** The message that starts a session. */
export const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "mallory", version: "6.6.6" },
  },
};

/** A resource to subscribe to. */
export const NEWS = "file:///news.md";
/** Another resource to subscribe to. */
export const WEATHER = "file:///weather.md";

type SessionManager = NonNullable<HttpTransportOptions["sessionManager"]>;

/** The managers of one transport, from any package. */
export interface Managers {
  readonly streams: NonNullable<SessionManager["streams"]>;
  readonly info: NonNullable<SessionManager["info"]>;
  readonly subscriptions: NonNullable<
    HttpTransportOptions["subscriptionManager"]
  >;
}

/** An MCP server that is listening. */
export interface RunningServer<M extends Managers> extends AsyncDisposable {
  /** URL of `HttpTransport`: Streamable HTTP in both eras. */
  readonly httpUrl: URL;
  /** URL of `SseTransport`: HTTP with SSE, the transport of 2024-11-05. */
  readonly sseUrl: URL;
  /** The server in use, as in `Served`. */
  readonly runtime: string;
  /** The MCP server, for sending change notifications. */
  readonly mcp: McpServer;
  /** The transport behind `httpUrl`. */
  readonly http: HttpTransport;
  /** The managers of the transport behind `httpUrl`. */
  readonly managers: M;
  /** Every response of the transport behind `httpUrl`, oldest first. */
  readonly responses: readonly Response[];
  /** Stops listening and waits for open connections to end. */
  finish(): Promise<void>;
  /** Aborts all connections. */
  close(): Promise<void>;
}

/** Options of {@linkcode startServer}. */
export interface ServerOptions<M extends Managers> {
  /** The server to use. Defaults to the runtime's own. */
  readonly engine?: Engine | undefined;
  /** The managers of `HttpTransport`. */
  readonly managers: M;
  /** The managers of `SseTransport`, not shared with `HttpTransport`. */
  readonly sseManagers?: Omit<Managers, "subscriptions"> | undefined;
  /**
   * Called before `HttpTransport`. By default, requests go directly to the
   * transport.
   */
  readonly guard?:
    | ((request: Request, respond: Respond) => Promise<Response>)
    | undefined;
  /** Additional options of `HttpTransport`. */
  readonly http?: HttpTransportOptions | undefined;
}

/** Starts a server with both eras of Streamable HTTP, and with HTTP with SSE. */
export async function startServer<M extends Managers>(
  options: ServerOptions<M>,
): Promise<RunningServer<M>> {
  const { engine, managers, sseManagers = new InMemorySessions() } = options;
  const mcp = createMcpServer();
  const http = new HttpTransport(mcp, {
    path: "/mcp",
    allowedOrigins: [],
    sessionManager: managers,
    subscriptionManager: managers.subscriptions,
    ...options.http,
  });
  const { guard } = options;
  const respond = (request: Request) =>
    guard !== undefined && new URL(request.url).pathname.startsWith("/mcp")
      ? guard(request, (request) => http.respond(request))
      : http.respond(request);
  const sse = new SseTransport(mcp, {
    path: "/sse",
    endpoint: "/message",
    allowedOrigins: [],
    sessionManager: sseManagers,
  });
  const responses: Response[] = [];
  const served = await serve(async (request) => {
    const response = await respond(request);
    if (response !== null) {
      responses.push(response);
      return response;
    }
    return await sse.respond(request) ?? new Response(null, { status: 404 });
  }, engine);
  const close = async () => {
    await http.close();
    await served.close();
  };
  return {
    httpUrl: new URL("/mcp", served.url),
    sseUrl: new URL("/sse", served.url),
    runtime: served.runtime,
    mcp,
    http,
    managers,
    responses,
    finish: async () => {
      await http.close();
      await served.finish();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Creates the MCP server of the end-to-end tests. */
export function createMcpServer(): McpServer {
  const mcp: McpServer = new McpServer(
    { name: "end-to-end", version: "1.0.0" },
    {
      adapter: undefined,
      capabilities: {
        logging: {},
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
      },
    },
  );
  mcp.tool({
    name: "who-am-i",
    description: "Returns the client data that the server has stored.",
  }, () => text(JSON.stringify(mcp.ctx.sessionInfo ?? null)));
  mcp.tool({
    name: "rename-tools",
    description: "Notifies all clients that the list of tools changed.",
  }, () => {
    mcp.changed("tools");
    return text("done");
  });
  mcp.tool({
    name: "print-news",
    description: "Notifies subscribers that the news was updated.",
  }, () => {
    mcp.changed("resource", NEWS);
    return text("done");
  });
  mcp.tool({
    name: "ask-client",
    description: "Asks the client three things, and returns its answers.",
  }, async () => {
    const { model } = await mcp.request({
      method: "sampling/createMessage",
      params: {
        messages: [{ role: "user", content: { type: "text", text: "?" } }],
        maxTokens: 9,
      },
    }) as { model: string };
    const { action } = await mcp.request({
      method: "elicitation/create",
      params: {
        message: "?",
        requestedSchema: { type: "object", properties: {} },
      },
    }) as { action: string };
    const { roots } = await mcp.request({ method: "roots/list" }) as {
      roots: { uri: string }[];
    };
    return text(`${model} ${action} ${roots[0]?.uri}`);
  });
  mcp.tool({
    name: "count-to-100",
    description: "Reports its progress a hundred times.",
  }, async () => {
    for (let number = 1; number <= 100; number++) {
      mcp.progress(number, 100);
      if (number % 10 === 0) await new Promise((done) => setTimeout(done, 1));
    }
    return text("100");
  });
  mcp.tool({
    name: "count-slowly",
    description: "Reports its progress a hundred times, within a second.",
  }, async () => {
    for (let number = 1; number <= 100; number++) {
      mcp.progress(number, 100);
      await new Promise((done) => setTimeout(done, 10));
    }
    return text("100");
  });
  for (const [name, uri] of [["news", NEWS], ["weather", WEATHER]] as const) {
    mcp.resource(
      { name, description: `The ${name}.`, uri },
      (uri) => ({ contents: [{ uri, text: `today's ${name}` }] }),
    );
  }
  return mcp;
}

function text(text: string) {
  return { content: [{ type: "text" as const, text }] };
}
