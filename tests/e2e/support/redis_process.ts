// One of several processes that share their sessions. Started by
// redis_workers.ts, which writes one call per line to stdin.
import { RedisSessions } from "@crossmcp/session-manager/redis";
import process from "node:process";
import { createInterface } from "node:readline";
import { makeClients } from "../../redis/support/clients.ts";
import { fromLine, toLine } from "../../redis/support/json_lines.ts";
import type { Engine } from "./serve.ts";
import { type Call, serveWorker } from "./workers_actions.ts";

/** Options of a process. */
export interface ProcessOptions {
  readonly name: string;
  /** Port of the Redis server. */
  readonly redisPort: number;
  readonly engine: Engine;
}

const { name, redisPort, engine } = JSON.parse(
  process.argv[2]!,
) as ProcessOptions;
const reported: string[] = [];
const resets: string[] = [];
const clients = makeClients({ port: redisPort });
await clients.connected;
const options = {
  cluster: { node: name, heartbeatMs: 200 },
  onError: (error: Error) => void reported.push(String(error)),
};
const { port, run } = await serveWorker(name, engine, {
  // Each transport has its own sessions. They share the Redis clients.
  http: new RedisSessions(clients, {
    ...options,
    prefix: "http",
    streams: { replay: {} },
    onReset: (id) => void resets.push(id),
  }),
  sse: new RedisSessions(clients, { ...options, prefix: "sse" }),
  resets,
  reported,
});
process.stdout.write(toLine(port));
for await (const line of createInterface({ input: process.stdin })) {
  void run(fromLine(line) as Call).then((result) =>
    process.stdout.write(toLine(result))
  );
}
process.exit();
