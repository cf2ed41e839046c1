import type {
  JSONRPCNotification,
  SubscriptionFilter,
} from "../protocol/mcp_types.ts";

/** A `subscriptions/listen` stream: who asked, and for what. */
export interface Subscription {
  /** JSON-RPC id of the request. `1` and `"1"` are different ids. */
  id: string | number;
  /** The connection it came from; ids are unique within an origin. */
  origin: string;
  /** What was asked for. */
  filters: SubscriptionFilter;
}

/** Why a subscription ended: by the server's word, or because the client left. */
export type SubscriptionCloseReason = "closed" | "cancelled";

/** How the manager talks to the stream of a subscription. */
export interface SubscriptionCallbacks {
  /** Confirms the subscription; called first, and settled before any `send`. */
  acknowledge: () => void | Promise<void>;
  /** Delivers one notification; settled before the next one is delivered. */
  send: (notification: JSONRPCNotification) => void | Promise<void>;
  /** Ends the stream; called once, after everything that was sent before. */
  close: (reason: SubscriptionCloseReason) => void | Promise<void>;
}

/**
 * Routes change notifications to `subscriptions/listen` streams of the 2026-07-28
 * protocol, which knows no sessions.
 *
 * This is the contract; a backend extends it. Its signatures are those of
 * `@tmcp/session-manager` 0.3.0, so an instance fits wherever tmcp's transports
 * expect theirs, and the other way round.
 *
 * @example Listen for changes of the tools
 * ```ts
 * import { InMemorySubscriptionManager } from "@crossmcp/session-manager";
 *
 * const subscriptions = new InMemorySubscriptionManager();
 * await subscriptions.create(
 *   { id: 1, origin: "connection-1", filters: { toolsListChanged: true } },
 *   {
 *     acknowledge: () => console.log("acknowledged"),
 *     send: ({ method }) => console.log(method),
 *     close: (reason) => console.log(reason),
 *   },
 * );
 * await subscriptions.send({
 *   jsonrpc: "2.0",
 *   method: "notifications/tools/list_changed",
 * });
 * await subscriptions.close(1, "connection-1", "closed");
 * ```
 */
export abstract class SubscriptionManager {
  /**
   * Registers a subscription and acknowledges it. Notifications that arrive
   * meanwhile are delivered after the acknowledgement, in order.
   *
   * @param subscription What to register; copied, so later changes do nothing.
   * @param callbacks How to reach its stream.
   * @returns `false` when the id is taken in that origin.
   * @throws The error of `acknowledge` when it fails; nothing is registered then.
   */
  abstract create(
    subscription: Subscription,
    callbacks: SubscriptionCallbacks,
  ): boolean | Promise<boolean>;

  /**
   * Delivers a notification to every subscription that asked for it.
   *
   * @param notification The notification.
   */
  abstract send(notification: JSONRPCNotification): void | Promise<void>;

  /**
   * Ends one subscription, after what was sent before.
   *
   * @param id JSON-RPC id of the subscription, type included.
   * @param origin The connection it came from.
   * @param reason Handed to the subscription's `close`.
   * @returns `false` when there is no such subscription.
   */
  abstract close(
    id: string | number,
    origin: string,
    reason: SubscriptionCloseReason,
  ): boolean | Promise<boolean>;

  /**
   * Ends every subscription, or every one of an origin.
   *
   * @param origin The connection; left out, all of them.
   * @param reason Handed to each `close`. Default: `"cancelled"`.
   */
  abstract closeAll(
    origin?: string,
    reason?: SubscriptionCloseReason,
  ): void | Promise<void>;
}

/**
 * Tells whether a notification belongs on a subscription's stream (2026-07-28,
 * Subscriptions, "Notification Filter").
 *
 * @param filters What the subscription asked for.
 * @param notification The notification.
 *
 * @example
 * ```ts
 * import { matchesSubscription } from "@crossmcp/session-manager";
 *
 * matchesSubscription(
 *   { resourceSubscriptions: ["file:///notes.md"] },
 *   {
 *     jsonrpc: "2.0",
 *     method: "notifications/resources/updated",
 *     params: { uri: "file:///notes.md" },
 *   },
 * ); // true
 * ```
 */
export function matchesSubscription(
  filters: SubscriptionFilter,
  notification: JSONRPCNotification,
): boolean {
  switch (notification.method) {
    case "notifications/tools/list_changed":
      return filters.toolsListChanged === true;
    case "notifications/prompts/list_changed":
      return filters.promptsListChanged === true;
    case "notifications/resources/list_changed":
      return filters.resourcesListChanged === true;
    case "notifications/resources/updated": {
      const uri: unknown = notification.params?.uri;
      return typeof uri === "string" &&
        filters.resourceSubscriptions?.includes(uri) === true;
    }
    default:
      return false;
  }
}
