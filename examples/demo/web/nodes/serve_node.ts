import { DeliveryError, type Sessions } from "@crossmcp/session-manager";
import { HttpTransport } from "@tmcp/transport-http";
import { McpServer } from "tmcp";
import { resource } from "tmcp/utils";
import type { NodeConfig } from "./node_config.ts";
import { type OperatedNode, respondToOperator } from "./operator.ts";

/** The resource that clients read again when they missed something. */
export const RECENT = "messages:///recent";

/** How many evicted sessions a node remembers. */
const EVICTED = 50;

/** What happened to the streams of a node. */
export class StreamEvents {
  /** How many streams continued after a `Last-Event-ID`. */
  resumed = 0;
  /** The sessions whose readers were evicted last. */
  readonly evicted: string[] = [];

  /** For the option of the sessions. */
  readonly onEvict = (id: string): void => {
    this.evicted.push(id);
    if (this.evicted.length > EVICTED) this.evicted.shift();
  };
}

/**
 * Starts the HTTP server of a node: MCP for clients, and `/operator` for the
 * demo itself.
 */
export function serveNode(
  sessions: Sessions,
  events: StreamEvents,
  config: NodeConfig,
): Deno.HttpServer<Deno.NetAddr> {
  const transport = new HttpTransport(createServer(config), {
    path: "/mcp",
    allowedOrigins: [...config.origins],
    sessionManager: sessions,
    subscriptionManager: sessions.subscriptions,
  });
  const node: OperatedNode = { sessions, events, token: config.token };
  return Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    onError: (error) => {
      // The reader of a stream was evicted, which the page shows.
      if (!(error instanceof DeliveryError)) console.error(error);
      return new Response("An error occurred.", { status: 500 });
    },
  }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/operator/")) {
      return await respondToOperator(node, request);
    }
    const response = await sessions.guard(
      request,
      (request) => transport.respond(request),
    );
    const isResumed = request.method === "GET" && response.ok &&
      request.headers.has("last-event-id");
    if (isResumed) events.resumed++;
    response.headers.set("x-worker", config.name); // shows who answered
    // Compressed, what a stalled reader is sent would fit into the buffers of
    // its connection.
    response.headers.set("cache-control", "no-cache, no-transform");
    return response;
  });
}

function createServer({ messagesUrl }: NodeConfig): McpServer {
  const server: McpServer = new McpServer(
    { name: "live", version: "1.0.0" },
    {
      adapter: undefined,
      capabilities: { logging: {}, resources: { listChanged: true } },
    },
  );
  server.resource(
    { name: "recent", description: "The recent messages", uri: RECENT },
    async (uri) => {
      const response = await fetch(messagesUrl);
      return resource.text(uri, await response.text(), "application/json");
    },
  );
  return server;
}
