import type { Sessions } from "../contracts/sessions.ts";
import type { JSONRPCNotification } from "../protocol/mcp_types.ts";
import { asObject } from "./messages.ts";
import { assertHosting } from "../contracts/hosting.ts";
import type { SdkServerEvent, SdkServerEventBus } from "./sdk_types.ts";

/** The notification of each kind of event. */
const METHODS: Readonly<Record<SdkServerEvent["kind"], string>> = {
  tools_list_changed: "notifications/tools/list_changed",
  prompts_list_changed: "notifications/prompts/list_changed",
  resources_list_changed: "notifications/resources/list_changed",
  resource_updated: "notifications/resources/updated",
};
const KINDS: ReadonlyMap<string, SdkServerEvent["kind"]> = new Map(
  Object.entries(METHODS).map((
    [kind, method],
  ) => [method, kind as SdkServerEvent["kind"]]),
);

/**
 * Returns a `ServerEventBus` for `createMcpHandler` of the official SDK 2.x: a
 * change that is published on one node reaches the `subscriptions/listen`
 * streams of all nodes. `createSdkHandler` does this for you.
 *
 * The bus is that of `sessions.subscriptions`: what is sent there arrives on the
 * streams of the SDK, and what the SDK publishes arrives at the subscriptions of
 * other transports.
 *
 * The events of one publisher arrive in their order, each once. `publish` never
 * throws and does not wait. A listener that throws is reported to `onError`, and
 * affects no other.
 *
 * @param sessions The sessions, of any backend of this package.
 * @throws {InvalidArgumentError} If the sessions are not from this package.
 *
 * @example
 * ```ts
 * import { InMemorySessions } from "@crossmcp/session-manager";
 * import { serverEventBus } from "@crossmcp/session-manager/sdk";
 * import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
 *
 * await using sessions = new InMemorySessions();
 * const handler = createMcpHandler(
 *   () => new McpServer({ name: "example", version: "1.0.0" }),
 *   { bus: serverEventBus(sessions) },
 * );
 * handler.notify.toolsChanged();
 * ```
 */
export function serverEventBus(sessions: Sessions): SdkServerEventBus {
  const hosting = assertHosting(sessions);
  const publish = async (event: SdkServerEvent) => {
    try {
      await sessions.subscriptions.send(notificationOf(event));
    } catch (error) {
      hosting.report(error as Error);
    }
  };
  /** Two subscriptions with the same function are two listeners. */
  const listeners = new Set<{ listener: (event: SdkServerEvent) => void }>();
  let stop: () => void = () => {};
  // Each stream of the SDK is a listener: what they have in common is done once.
  const onNotification = (notification: JSONRPCNotification) => {
    const event = eventOf(notification);
    if (event === undefined) return;
    for (const { listener } of listeners) {
      try {
        listener(event);
      } catch (error) {
        hosting.report(error as Error);
      }
    }
  };
  return {
    publish: (event) => void publish(event),
    subscribe: (listener) => {
      if (listeners.size === 0) stop = hosting.listen(onNotification);
      const entry = { listener };
      listeners.add(entry);
      return () => {
        if (listeners.delete(entry) && listeners.size === 0) stop();
      };
    },
  };
}

function notificationOf(event: SdkServerEvent): JSONRPCNotification {
  const method = METHODS[event.kind];
  const params = event.kind === "resource_updated"
    ? { ...event.params, uri: event.uri }
    : event.params;
  return { jsonrpc: "2.0", method, ...params && { params } };
}

/** Returns the event of a notification; undefined if streams don't get it. */
function eventOf(
  { method, params: given }: JSONRPCNotification,
): SdkServerEvent | undefined {
  const kind = KINDS.get(method);
  if (kind === undefined) return undefined;
  if (kind !== "resource_updated") {
    return given === undefined ? { kind } : { kind, params: given };
  }
  const { uri, ...params } = asObject(given);
  if (typeof uri !== "string") return undefined;
  const hasParams = Object.keys(params).length > 0;
  return { kind, uri, ...hasParams && { params } };
}
