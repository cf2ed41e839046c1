// One of several workers that share their sessions. Started by members.ts.
import { BroadcastChannelSessions } from "@crossmcp/session-manager/broadcast-channel";
import { parentPort, workerData } from "node:worker_threads";
import { type Command, serveMember } from "./serve_member.ts";

const { name, group, sdk } = workerData;
const reported: string[] = [];
const sessions = new BroadcastChannelSessions(group, {
  cluster: { node: name, heartbeatMs: 500 },
  streams: { replay: {} },
  onError: (error) => reported.push(String(error)),
});
const { port, run } = await serveMember(sessions, sdk, reported);
parentPort!.on("message", async ([id, command]: [number, Command]) => {
  parentPort!.postMessage([id, await run(command)]);
});
parentPort!.postMessage(port);
