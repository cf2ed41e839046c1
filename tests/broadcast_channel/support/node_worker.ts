// The thread of a node: workers.ts starts it and calls its objects.
import { BroadcastChannelSessions } from "@crossmcp/session-manager/broadcast-channel";
import { parentPort } from "node:worker_threads";
import { NodeActions } from "../../cluster_nodes/node_actions.ts";
import { answering } from "../../cluster_nodes/node_objects.ts";
import type { Call } from "../../cluster_nodes/remote_calls.ts";
import { ChannelActions } from "./channel_actions.ts";

const port = parentPort!;
// Created first, to see the channels that the node opens.
const channels = new ChannelActions();
const node = new NodeActions(
  (name, options) => new BroadcastChannelSessions(name, options),
  () => port.unref(),
);
const answer = answering(node, { channels });

port.on("message", async (call: Call) => {
  port.postMessage(await answer(call));
});
