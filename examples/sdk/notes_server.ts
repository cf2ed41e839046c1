/**
 * A server that was built with the official SDK, and its handler. The other
 * files of this folder serve it.
 */
import {
  createSdkHandler,
  type SdkHandler,
  type SdkServerContext,
} from "@crossmcp/session-manager/sdk";
import type { Sessions } from "@crossmcp/session-manager";
import {
  createMcpHandler,
  fromJsonSchema,
  McpServer,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import process from "node:process";

const NOTE = fromJsonSchema<{ note: string }>({
  type: "object",
  properties: { note: { type: "string" } },
  required: ["note"],
});

/** Creates the server of one session. */
function createServer(
  sessions: Sessions,
  { sessionId }: SdkServerContext,
): McpServer {
  const server = new McpServer(
    { name: "notes", version: "1.0.0" },
    { capabilities: { logging: {} } },
  );
  server.registerTool(
    "add_note",
    { description: "Adds a note to your session", inputSchema: NOTE },
    async ({ note }) => {
      if (sessionId === undefined) throw new Error("Notes need a session.");
      // Unlike a variable, it outlives the server.
      const stored = await sessions.info.getData(sessionId) as string[] ?? [];
      const notes = [...stored, note];
      await sessions.info.setData(sessionId, notes);
      return { content: [{ type: "text", text: notes.join(", ") }] };
    },
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
    { description: "Returns the names of the client and of this process" },
    () => {
      const name = server.server.getClientVersion()?.name ?? "a stranger";
      const text = `You are ${name}. I am ${process.env.NAME ?? process.pid}.`;
      return { content: [{ type: "text", text }] };
    },
  );
  server.registerTool(
    "notify",
    { description: "Tells your session that the tools have changed" },
    () => {
      server.sendToolListChanged();
      return { content: [{ type: "text", text: "Sent." }] };
    },
  );
  return server;
}

/** Serves it with sessions of any backend. */
export function createHandler(sessions: Sessions): SdkHandler {
  return createSdkHandler({
    sessions,
    createServer: (context) => createServer(sessions, context),
    Transport: WebStandardStreamableHTTPServerTransport,
    createMcpHandler,
  });
}
