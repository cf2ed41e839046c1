import { formatSseEvent } from "@crossmcp/session-manager";
import { McpServer } from "tmcp";
import { resource, tool } from "tmcp/utils";

const NEWS = "file:///news.md";

/**
 * Makes a client read again: `onReset` sends it to clients that missed
 * something.
 */
export const LOOK_AGAIN: string = formatSseEvent({
  event: "message",
  data: JSON.stringify({
    jsonrpc: "2.0",
    method: "notifications/tools/list_changed",
  }),
});

/**
 * The MCP server of a worker. The workers share sessions and nothing else:
 * whatever all of them must agree on belongs in a database.
 *
 * @param worker The name of the worker.
 */
export function createNews(worker: string): McpServer {
  const server: McpServer = new McpServer(
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
    (uri) => resource.text(uri, "# No news", "text/markdown"),
  );
  server.tool(
    { name: "publish", description: "Notifies subscribers of news" },
    () => {
      server.changed("resource", NEWS); // to the subscribers on all workers
      return tool.text(`Published by ${worker}`);
    },
  );
  server.tool({
    name: "add_tool",
    description: "Notifies all clients of changed tools",
  }, () => {
    server.changed("tools"); // to all clients on all workers
    return tool.text(`Sent by ${worker}`);
  });
  return server;
}
