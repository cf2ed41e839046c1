// One of several processes that share their sessions through Redis. Started by
// members.ts.
import { RedisSessions } from "@crossmcp/session-manager/redis";
import process from "node:process";
import { createInterface } from "node:readline";
import { makeClients } from "../../redis/support/clients.ts";
import { fromLine, toLine } from "../../redis/support/json_lines.ts";
import { type Command, serveMember } from "./serve_member.ts";

const { name, redisPort, sdk } = JSON.parse(process.argv[2]!);
const reported: string[] = [];
const clients = makeClients({ port: redisPort });
await clients.connected;
const sessions = new RedisSessions(clients, {
  cluster: { node: name, heartbeatMs: 500 },
  streams: { replay: {} },
  onError: (error) => void reported.push(String(error)),
});
const { port, run } = await serveMember(sessions, sdk, reported);
process.stdout.write(toLine(port));
for await (const line of createInterface({ input: process.stdin })) {
  const [id, command] = fromLine(line) as [number, Command];
  void run(command).then((state) => process.stdout.write(toLine([id, state])));
}
process.exit();
