/**
 * A server that was built with the official SDK, and its handler. `server.ts`
 * serves it.
 */
import {
  createSdkHandler,
  type SdkHandler,
} from "@crossmcp/session-manager/sdk";
import type { Sessions } from "@crossmcp/session-manager";
import {
  createMcpHandler,
  McpServer,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";

/** Creates the server of one session. */
function createServer(): McpServer {
  const server = new McpServer(
    { name: "notes", version: "1.0.0" },
    { capabilities: { logging: {} } },
  );
  server.registerTool(
    "count",
    { description: "Counts to ten, one number a second" },
    async ({ mcpReq }) => {
      for (let number = 1; number <= 10; number++) {
        await mcpReq.log("info", number);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
      return { content: [{ type: "text", text: "Counted to ten." }] };
    },
  );
  server.registerTool(
    "whoami",
    { description: "Returns the name of the caller" },
    () => {
      const name = server.server.getClientVersion()?.name ?? "a stranger";
      return { content: [{ type: "text", text: `You are ${name}.` }] };
    },
  );
  return server;
}

/** Serves it with sessions of any backend. */
export function createHandler(sessions: Sessions): SdkHandler {
  return createSdkHandler({
    sessions,
    createServer,
    Transport: WebStandardStreamableHTTPServerTransport,
    createMcpHandler,
  });
}
