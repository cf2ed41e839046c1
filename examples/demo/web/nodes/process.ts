/** A node in its own process, over Redis: `start_process.ts` starts it. */
import { RedisSessions } from "@crossmcp/session-manager/redis";
import process from "node:process";
import { createClient } from "redis";
import type { NodeConfig } from "./node_config.ts";
import { serveNode, StreamEvents } from "./serve_node.ts";
import { READ_AGAIN, sessionOptions } from "./session_options.ts";

const config: NodeConfig = JSON.parse(process.env.NODE_CONFIG!);
const client = createClient({ url: config.redisUrl! });
client.on("error", () => {}); // `onError` of the sessions reports outages
await client.connect();

const events = new StreamEvents();
const sessions = new RedisSessions(client, {
  prefix: config.cluster,
  ...sessionOptions(config, events, (id) => {
    void sessions.notify(READ_AGAIN, { sessions: [id] });
  }),
});
await sessions.ready;
const server = serveNode(sessions, events, config);
console.log(`http://127.0.0.1:${server.addr.port}/mcp`);

async function stop(): Promise<void> {
  await sessions.close();
  await server.shutdown();
  client.destroy();
  process.exit();
}
process.once("SIGTERM", stop);
process.on("SIGINT", () => {}); // Ctrl+C reaches the demo, which stops the nodes
// The demo was killed.
process.stdin.resume().once("end", () => process.exit(1));
