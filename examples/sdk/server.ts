/**
 * Serves `notes_server.ts` with `node:http`, on Node, Deno and Bun: `deno run -A
 * server.ts`, and in a clone `npx -y deno@2 run -A examples/sdk/server.ts`. With
 * `REDIS_URL`, several processes act as one: start some, each with its own
 * `PORT`, behind a load balancer of any kind, such as
 * `../redis/load_balancer.ts`. `deno task demo sdk` does that.
 */
import { toNodeHandler } from "@crossmcp/session-manager/node";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createSessions } from "./create_sessions.ts";
import { createHandler } from "./notes_server.ts";
import { stopOnSignal } from "./stop_on_signal.ts";

const sessions = await createSessions();
const handler = createHandler(sessions);
const server = createServer(toNodeHandler(handler));
server.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}/mcp`);
});
stopOnSignal(handler, sessions, () => server.close());
