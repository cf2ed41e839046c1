// The process of a node: processes.ts starts it and calls its objects, one line
// each. Other output goes to stderr.
import { RedisSessions } from "@crossmcp/session-manager/redis";
import process from "node:process";
import { createInterface } from "node:readline";
import { NodeActions } from "../../cluster_nodes/node_actions.ts";
import { answering } from "../../cluster_nodes/node_objects.ts";
import type { Call } from "../../cluster_nodes/remote_calls.ts";
import { type Clients, makeClients } from "./clients.ts";
import { fromLine, toLine } from "./json_lines.ts";
import type { ProcessOptions } from "./processes.ts";

const { port, kind, isUp, clockAheadMs = 0, ...options } = JSON.parse(
  process.argv[2]!,
) as ProcessOptions;
const realNow = Date.now;
Date.now = () => realNow() + clockAheadMs;
const made: Clients[] = [];
const node = new NodeActions(
  async (prefix, others) => {
    const clients = makeClients({ port }, kind);
    made.push(clients);
    if (isUp !== false) await clients.connected;
    return new RedisSessions(clients, { ...others, ...options, prefix });
  },
  () => process.stdin.destroy(),
);
const answer = answering(node);

function say(value: unknown): void {
  process.stdout.write(toLine(value));
}

// An unhandled error is a fault of the node on every runtime.
for (const event of ["unhandledRejection", "uncaughtException"] as const) {
  process.on(event, (error: unknown) => {
    const text = error instanceof Error ? error.stack : String(error);
    say({ failure: `${event}: ${text}` });
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = fromLine(line) as Call;
  void answer(call).then(say);
}
process.exit();
