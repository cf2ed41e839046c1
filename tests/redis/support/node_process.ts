// The process of a node: processes.ts starts it and calls its objects.
import { RedisSessions } from "@crossmcp/session-manager/redis";
import process from "node:process";
import { runNode } from "../../cluster_nodes/node_process.ts";
import { makeClients } from "./clients.ts";
import type { ProcessOptions } from "./processes.ts";

const { port, kind, isUp, clockAheadMs = 0, ...options } = JSON.parse(
  process.argv[2]!,
) as ProcessOptions;
const realNow = Date.now;
Date.now = () => realNow() + clockAheadMs;

await runNode(async (prefix, others) => {
  const clients = makeClients({ port }, kind);
  if (isUp !== false) await clients.connected;
  return new RedisSessions(clients, { ...others, ...options, prefix });
});
