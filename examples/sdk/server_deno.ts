/** Serves `notes_server.ts` with `Deno.serve`: `deno run -A server_deno.ts`. */
import { createSessions } from "./create_sessions.ts";
import { createHandler } from "./notes_server.ts";
import { stopOnSignal } from "./stop_on_signal.ts";

const sessions = await createSessions();
const handler = createHandler(sessions);
const server = Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.env.get("PORT") ?? 8000),
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}/mcp`),
}, (request) => handler.fetch(request));
stopOnSignal(handler, sessions, () => server.shutdown());
