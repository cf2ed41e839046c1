/**
 * Serves `news_server.ts` on Deno: `deno run -A --unstable-no-legacy-abort
 * examples/server.ts`. Without the flag, Deno aborts requests that were
 * answered in full, and prints a warning.
 */
import { respond, sessions } from "./news_server.ts";

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: Number(Deno.env.get("PORT") ?? 8000),
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}/mcp`),
}, respond);

async function stop(): Promise<void> {
  await sessions.close(); // ends the streams, which `shutdown` would wait for
  await server.shutdown();
  Deno.exit();
}
Deno.addSignalListener("SIGINT", stop);
Deno.addSignalListener("SIGTERM", stop);
