// Begins sessions of an SDK server that no client uses or deletes, and prints
// what is left of them. Run by abandoned_sdk_test.ts in its own process, with
// garbage collection on demand.
import { InMemorySessions } from "@crossmcp/session-manager";
import { createSdkHandler } from "@crossmcp/session-manager/sdk";
import {
  McpServer,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { heapUsed } from "./heap.ts";

const SESSIONS = 10_000;
const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "abandoned", version: "1.0.0" },
  },
});

let open = 0;
const sessions = new InMemorySessions({
  streams: { replay: {} },
  info: { idleTimeoutMs: 500 },
});
const handler = createSdkHandler({
  sessions,
  createServer: () => {
    const server = new McpServer({ name: "example", version: "1.0.0" });
    open++;
    server.server.onclose = () => void open--;
    return server;
  },
  Transport: WebStandardStreamableHTTPServerTransport,
});

// Tables that have grown stay that large.
await abandon(SESSIONS);
const before = await heapUsed();
await abandon(SESSIONS);
const grown = (await heapUsed() - before) / SESSIONS;
const { hosted } = handler.stats();
console.log(JSON.stringify({ bytesPerSession: grown, open, hosted }));

async function abandon(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const response = await handler.fetch(
      new Request("http://localhost/mcp", {
        method: "POST",
        headers: {
          "accept": "application/json, text/event-stream",
          "content-type": "application/json",
        },
        body: INITIALIZE,
      }),
    );
    await response.text();
    if (response.status !== 200) throw new Error(`${response.status}`);
  }
  const end = Date.now() + 30_000;
  while (handler.stats().hosted > 0 && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
