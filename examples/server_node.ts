/**
 * Serves `news_server.ts` on Node: `node server_node.ts`, and in a clone `node
 * --import ./tests/node_loader.mjs examples/server_node.ts`.
 * `toNodeHandler` converts Node's requests to web requests.
 */
import { toNodeHandler } from "@crossmcp/session-manager/node";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { respond, sessions } from "./news_server.ts";

const server = createServer(toNodeHandler({ fetch: respond }));
server.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}/mcp`);
});

async function stop(): Promise<void> {
  await sessions.close(); // ends the streams, which `close` would wait for
  server.close(() => process.exit());
  server.closeIdleConnections();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
