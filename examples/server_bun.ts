/**
 * Serves `news_server.ts` on Bun: `bun server_bun.ts`, and in a clone `bun
 * --tsconfig-override=tests/tsconfig.json examples/server_bun.ts`.
 */
import process from "node:process";
import { respond, sessions } from "./news_server.ts";

// In your own project, `bun add -d @types/bun` makes this line unnecessary.
declare const Bun: {
  serve(options: object): { port: number; stop(): Promise<void> };
};

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT ?? 8000),
  idleTimeout: 0, // by default, Bun closes streams after 10 quiet seconds
  fetch: respond,
});
console.log(`http://127.0.0.1:${server.port}/mcp`);

async function stop(): Promise<void> {
  await sessions.close(); // ends the streams, which `stop` would wait for
  await server.stop();
  process.exit();
}
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
