import { LISTENABLE } from "../protocol/listenable.ts";
import type {
  JSONRPCNotification,
  SubscriptionFilter,
} from "../protocol/mcp_types.ts";

/**
 * A `subscriptions/listen` stream: its ID, its origin, and what it subscribes
 * to.
 */
export interface Subscription {
  /** The JSON-RPC ID of the request. `1` and `"1"` are different IDs. */
  id: string | number;
  /** The connection that it came from. IDs are unique within an origin. */
  origin: string;
  /** What it subscribes to. */
  filters: SubscriptionFilter;
}

/** Why a subscription ended: the server closed it, or the client left. */
export type SubscriptionCloseReason = "closed" | "cancelled";

/** How the manager reaches the stream of a subscription. */
export interface SubscriptionCallbacks {
  /** Confirms the subscription. Called first, and settled before any `send`. */
  acknowledge: () => void | Promise<void>;
  /** Delivers one notification. Settled before the next one is delivered. */
  send: (notification: JSONRPCNotification) => void | Promise<void>;
  /** Ends the stream. Called once, after everything that was sent before. */
  close: (reason: SubscriptionCloseReason) => void | Promise<void>;
}

/**
 * Routes notifications to the `subscriptions/listen` streams of MCP 2026-07-28,
 * which has no sessions.
 *
 * This is the contract; each backend extends it. Its signatures are those of
 * `@tmcp/session-manager` 0.3.0, so the classes are interchangeable.
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
   * @param subscription The subscription. It is copied.
   * @param callbacks How to reach its stream.
   * @returns `false` if the ID is already used in that origin.
   * @throws The error of `acknowledge`, if it fails. Nothing is registered
   * then.
   */
  abstract create(
    subscription: Subscription,
    callbacks: SubscriptionCallbacks,
  ): boolean | Promise<boolean>;

  /**
   * Delivers a notification to every subscription whose filters match it.
   *
   * @param notification The notification.
   */
  abstract send(notification: JSONRPCNotification): void | Promise<void>;

  /**
   * Ends a subscription, after what was sent before.
   *
   * @param id The JSON-RPC ID of the subscription. `1` and `"1"` are different.
   * @param origin The connection that it came from.
   * @param reason Passed to the subscription's `close`.
   * @returns `false` if there is no such subscription.
   */
  abstract close(
    id: string | number,
    origin: string,
    reason: SubscriptionCloseReason,
  ): boolean | Promise<boolean>;

  /**
   * Ends every subscription, or every one of an origin.
   *
   * @param origin The connection. If omitted, all of them.
   * @param reason Passed to each `close`. Defaults to `"cancelled"`.
   */
  abstract closeAll(
    origin?: string,
    reason?: SubscriptionCloseReason,
  ): void | Promise<void>;
}

/**
 * Returns whether a notification matches the filters of a subscription
 * (2026-07-28, Subscriptions, "Notification Filter").
 *
 * @param filters What the subscription subscribes to.
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
    case LISTENABLE.tools:
      return filters.toolsListChanged === true;
    case LISTENABLE.prompts:
      return filters.promptsListChanged === true;
    case LISTENABLE.resources:
      return filters.resourcesListChanged === true;
    case LISTENABLE.resource: {
      const uri: unknown = notification.params?.uri;
      return typeof uri === "string" &&
        filters.resourceSubscriptions?.includes(uri) === true;
    }
    default:
      return false;
  }
}
