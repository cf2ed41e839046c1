import { formatSseEvent } from "@crossmcp/session-manager";
import { McpServer } from "tmcp";
import { resource, tool } from "tmcp/utils";

const NEWS = "file:///news.md";

/** Tells a client to look again: `onReset` sends it to those that missed something. */
export const LOOK_AGAIN: string = formatSseEvent({
  event: "message",
  data: JSON.stringify({
    jsonrpc: "2.0",
    method: "notifications/tools/list_changed",
  }),
});

/**
 * The MCP server that each worker has. The workers share sessions, and nothing
 * else: what all of them are to answer alike belongs in a database.
 *
 * @param worker What the worker calls itself.
 */
export function createNews(worker: string): McpServer {
  const server: McpServer = new McpServer(
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
    (uri) => resource.text(uri, "# No news", "text/markdown"),
  );
  server.tool({ name: "publish", description: "Tells of news" }, () => {
    server.changed("resource", NEWS); // to those who subscribed, on any worker
    return tool.text(`Published by ${worker}`);
  });
  server.tool({ name: "learn", description: "Tells of other tools" }, () => {
    server.changed("tools"); // to everyone, on all workers
    return tool.text(`Learned by ${worker}`);
  });
  return server;
}
