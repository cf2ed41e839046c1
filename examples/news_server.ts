/**
 * An MCP server that tells its clients what changed. It names no runtime:
 * `server.ts` serves it on Deno, `server_node.ts` on Node, `server_bun.ts` on Bun.
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
    adapter: undefined, // a schema library, for tools that take arguments
    capabilities: {
      tools: { listChanged: true },
      resources: { subscribe: true },
    },
  },
);

server.resource(
  { name: "news", description: "All the news", uri: NEWS },
  (uri) => resource.text(uri, news.join("\n"), "text/markdown"),
);

server.tool(
  { name: "publish", description: "Adds a piece of news" },
  () => {
    news.push(`- Published at ${new Date().toISOString()}`);
    server.changed("resource", NEWS); // to those who subscribed to it
    return tool.text(`${news.length - 1} pieces of news`);
  },
);

let skills = 0;
server.tool(
  { name: "learn", description: "Teaches the server another tool" },
  () => {
    const name = `skill-${++skills}`;
    // Adding a tool tells everyone that the list of tools changed.
    server.tool(
      { name, description: "Something new" },
      () => tool.text("Done"),
    );
    return tool.text(`Learned ${name}`);
  },
);

server.tool(
  { name: "memory", description: "Bytes of memory that the server uses" },
  () => tool.text(String(memoryUsage().rss)),
);

/** Everyone who is connected. Close it to end all streams. */
export const sessions: InMemorySessions = new InMemorySessions({
  streams: {
    maxSessions: 10_000,
    replay: {}, // clients that were away get what they missed
  },
  onError: (error) => console.error(error),
  onEvict: (id, reason) => console.warn(`${id} was too slow: ${reason}`),
});

const transport = new HttpTransport(server, {
  path: "/mcp",
  allowedOrigins: [], // no web pages from elsewhere
  sessionManager: sessions,
  subscriptionManager: sessions.subscriptions,
});

/** Answers a request, as `Deno.serve` and its like want it. */
export function respond(request: Request): Promise<Response> {
  return sessions.guard(request, (request) => transport.respond(request));
}
