// The thread of a node: workers.ts starts it and calls its objects.
import { parentPort } from "node:worker_threads";
import { ChannelActions } from "./channel_actions.ts";
import { ClientActions } from "./client_actions.ts";
import { MessageActions } from "./message_actions.ts";
import { NodeActions } from "./node_actions.ts";
import { answer, type Call } from "./remote_calls.ts";
import { SubscriberActions } from "./subscriber_actions.ts";
import { UpdateActions } from "./update_actions.ts";

const port = parentPort!;
// Made first, to see the channels that the node opens.
const channels = new ChannelActions();
const node = new NodeActions(() => port.unref());
const updates = new UpdateActions(node);
const messages = new MessageActions(node);
const clients = new ClientActions(node);
const subscribers = new SubscriberActions(node);

port.on("message", async (call: Call) => {
  const objects = {
    node,
    channels,
    updates,
    messages,
    clients,
    subscribers,
    // The node has none of these before it joined.
    ...(call.object in MANAGERS && {
      [call.object]: node.sessions[call.object as keyof typeof MANAGERS],
    }),
  };
  port.postMessage(await answer(objects, call));
});

const MANAGERS = { streams: true, info: true, subscriptions: true };
