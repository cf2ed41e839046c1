/**
 * Serves `notes_server.ts` with `Bun.serve`: `bun server_bun.ts`, and in a clone
 * `bun --tsconfig-override=tests/tsconfig.json examples/sdk/server_bun.ts`.
 */
import process from "node:process";
import { createSessions } from "./create_sessions.ts";
import { createHandler } from "./notes_server.ts";
import { stopOnSignal } from "./stop_on_signal.ts";

// In your own project, `bun add -d @types/bun` makes this line unnecessary.
declare const Bun: {
  serve(options: object): { port: number; stop(): Promise<void> };
};

const sessions = await createSessions();
const handler = createHandler(sessions);
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT ?? 8000),
  idleTimeout: 0, // by default, Bun closes streams after 10 quiet seconds
  fetch: (request: Request) => handler.fetch(request),
});
console.log(`http://127.0.0.1:${server.port}/mcp`);
stopOnSignal(handler, sessions, () => server.stop());
