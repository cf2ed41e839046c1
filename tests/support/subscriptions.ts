import type {
  JSONRPCNotification,
  SubscriptionCallbacks,
  SubscriptionFilter,
} from "@crossmcp/session-manager";

/** The filter of {@linkcode toolsChanged}. */
export const TOOLS: SubscriptionFilter = { toolsListChanged: true };
/** A notification that {@linkcode TOOLS} matches. */
export const toolsChanged: JSONRPCNotification = {
  jsonrpc: "2.0",
  method: "notifications/tools/list_changed",
};

/** Callbacks that do nothing, except the given ones. */
export function callbacks(
  overrides: Partial<SubscriptionCallbacks>,
): SubscriptionCallbacks {
  return {
    acknowledge: () => {},
    send: () => {},
    close: () => {},
    ...overrides,
  };
}
