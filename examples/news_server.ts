/**
 * An MCP server that notifies its clients of changes. It works on every
 * runtime: `server.ts` serves it on Deno, `server_node.ts` on Node,
 * `server_bun.ts` on Bun.
 */
import { InMemorySessions } from "@crossmcp/session-manager";
import { HttpTransport } from "@tmcp/transport-http";
import { memoryUsage } from "node:process";
import { McpServer } from "tmcp";
import { resource, tool } from "tmcp/utils";

const NEWS = "file:///news.md";
const news = ["# News"];

const server = new McpServer(
  { name: "news", version: "1.0.0" },
  {
    adapter: undefined, // a schema library, for tools with arguments
    capabilities: {
      tools: { listChanged: true },
      resources: { subscribe: true },
    },
  },
);

server.resource(
  { name: "news", description: "All news", uri: NEWS },
  (uri) => resource.text(uri, news.join("\n"), "text/markdown"),
);

server.tool(
  { name: "publish", description: "Adds a piece of news" },
  () => {
    news.push(`- Published at ${new Date().toISOString()}`);
    server.changed("resource", NEWS); // to the subscribers
    return tool.text(`${news.length - 1} pieces of news`);
  },
);

let skills = 0;
server.tool(
  { name: "add_tool", description: "Adds a tool to the server" },
  () => {
    const name = `skill-${++skills}`;
    // Adding a tool notifies all clients that the list of tools has changed.
    server.tool(
      { name, description: "A new tool" },
      () => tool.text("Done"),
    );
    return tool.text(`Added ${name}`);
  },
);

server.tool(
  { name: "memory", description: "The resident memory of the server in bytes" },
  () => tool.text(String(memoryUsage().rss)),
);

/** All connected clients. `close` ends all streams. */
export const sessions: InMemorySessions = new InMemorySessions({
  streams: {
    maxSessions: 10_000,
    replay: {}, // clients that reconnect get what they missed
  },
  onError: (error) => console.error(error),
  onEvict: (id, reason) => console.warn(`${id} was too slow: ${reason}`),
});

const transport = new HttpTransport(server, {
  path: "/mcp",
  allowedOrigins: [], // refuse web pages of other origins
  sessionManager: sessions,
  subscriptionManager: sessions.subscriptions,
});

/** Answers a request; the handler for `Deno.serve` and others. */
export function respond(request: Request): Promise<Response> {
  return sessions.guard(request, (request) => transport.respond(request));
}
