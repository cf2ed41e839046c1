/**
 * Serves `notes_server.ts` with Express: `node server_express.ts`, and in a clone
 * `node --import ./tests/node_loader.mjs examples/sdk/server_express.ts`.
 */
import { toNodeHandler } from "@crossmcp/session-manager/node";
import express from "express";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createSessions } from "./create_sessions.ts";
import { createHandler } from "./notes_server.ts";
import { stopOnSignal } from "./stop_on_signal.ts";

const sessions = await createSessions();
const handler = createHandler(sessions);
const app = express();
app.use(express.json()); // a parser in front does no harm
app.all("/mcp", toNodeHandler(handler));
const port = Number(process.env.PORT ?? 8000);
const server = app.listen(port, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}/mcp`);
});
stopOnSignal(handler, sessions, () => server.close());
