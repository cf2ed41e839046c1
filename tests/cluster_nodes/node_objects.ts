import { ClientActions } from "./client_actions.ts";
import { MessageActions } from "./message_actions.ts";
import type { NodeActions } from "./node_actions.ts";
import { answer, type Call, type Outcome } from "./remote_calls.ts";
import { SubscriberActions } from "./subscriber_actions.ts";
import { UpdateActions } from "./update_actions.ts";

const MANAGERS = { streams: true, info: true, subscriptions: true };

/**
 * Answers the calls to a node, where the node is.
 *
 * @param node The node.
 * @param others Other objects that can be called there.
 */
export function answering(
  node: NodeActions,
  others: Readonly<Record<string, object>> = {},
): (call: Call) => Promise<Outcome> {
  const own = {
    node,
    updates: new UpdateActions(node),
    messages: new MessageActions(node),
    clients: new ClientActions(node),
    subscribers: new SubscriberActions(node),
  };
  return (call) =>
    answer({
      ...others,
      ...own,
      // None of these exist before the node has joined.
      ...(call.object in MANAGERS && {
        [call.object]: node.sessions[call.object as keyof typeof MANAGERS],
      }),
    }, call);
}
