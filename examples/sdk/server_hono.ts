/**
 * Serves `notes_server.ts` with Hono, on Node: `node server_hono.ts`, and in a
 * clone `node --import ./tests/node_loader.mjs examples/sdk/server_hono.ts`. On
 * Deno and Bun, pass `app.fetch` to `Deno.serve` or `Bun.serve`.
 */
import { toNodeHandler } from "@crossmcp/session-manager/node";
import { Hono } from "hono";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createSessions } from "./create_sessions.ts";
import { createHandler } from "./notes_server.ts";
import { stopOnSignal } from "./stop_on_signal.ts";

const sessions = await createSessions();
const handler = createHandler(sessions);
const app = new Hono();
app.all("/mcp", (context) => handler.fetch(context.req.raw));
const server = createServer(toNodeHandler(app));
server.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}/mcp`);
});
stopOnSignal(handler, sessions, () => server.close());
