import { HttpTransport } from "@tmcp/transport-http";
import {
  McpServer as SdkServer,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { McpServer } from "tmcp";
import type { Sessions } from "../../mod.ts";
import { createSdkHandler } from "../../src/sdk/mod.ts";
import type { Serve } from "./tool_calls.ts";

/**
 * A transport of tmcp with the tool "small", and the tool "ask", which asks the
 * client something.
 */
export function tmcpTransport(sessions: Sessions): HttpTransport {
  const server = new McpServer(
    { name: "bench", version: "1.0.0" },
    { adapter: undefined, capabilities: { tools: {} } },
  );
  const text = (text: string) => ({
    content: [{ type: "text" as const, text }],
  });
  server.tool(
    { name: "small", description: "Answers at once" },
    () => text("done"),
  );
  server.tool({ name: "ask", description: "Asks the client" }, async () => {
    await server.request({ method: "ping", params: {} } as never);
    return text("answered");
  });
  return new HttpTransport(server, {
    path: "/mcp",
    allowedOrigins: [],
    sessionManager: sessions,
    subscriptionManager: sessions.subscriptions,
  });
}

/** The same, behind the guard. */
export function guarded(sessions: Sessions): Serve {
  const transport = tmcpTransport(sessions);
  return (request) =>
    sessions.guard(request, (request) => transport.respond(request));
}

/** A server of the official SDK with the tool "small". */
export function createSdkServer(): SdkServer {
  const server = new SdkServer({ name: "bench", version: "1.0.0" });
  server.registerTool(
    "small",
    {},
    () => ({ content: [{ type: "text", text: "done" }] }),
  );
  return server;
}

/** Such servers behind `createSdkHandler`. */
export function handled(sessions: Sessions): Serve {
  return createSdkHandler({
    sessions,
    createServer: createSdkServer,
    Transport: WebStandardStreamableHTTPServerTransport,
  }).fetch;
}
