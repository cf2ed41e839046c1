import { formatValue } from "../format_value.ts";
import { InvalidArgumentError } from "../errors.ts";
import {
  InMemorySubscriptionManager,
  listenForNotifications,
  type NotificationListener,
  onSubscriptionEnd,
} from "../in_memory/subscription_manager.ts";
import {
  assertCallbacks,
  assertNotification,
  assertSubscription,
} from "../subscriptions/subscription_arguments.ts";
import type { JSONRPCNotification } from "../protocol/mcp_types.ts";
import type {
  ErrorReportingOptions,
  SubscriptionOptions,
} from "../contracts/options.ts";
import { resolveSubscriptionOptions } from "../contracts/resolve_options.ts";
import {
  type Subscription,
  type SubscriptionCallbacks,
  type SubscriptionCloseReason,
  SubscriptionManager,
} from "../contracts/subscription_manager.ts";
import type { ClusterNode } from "./membership/cluster_node.ts";
import { SubscriptionIds } from "./subscription_ids.ts";

/** Options of a subscription manager of a cluster. */
export interface ClusterSubscriptionManagerOptions
  extends SubscriptionOptions, ErrorReportingOptions {}

/**
 * Adds a listener for the notifications of all nodes; the result removes it.
 * See `listenForNotifications`.
 */
export let listenForAllNotifications: (
  manager: ClusterSubscriptionManager,
  listener: NotificationListener,
) => () => void;

/**
 * Routes notifications to the subscriptions of all nodes. A subscription is on
 * the node that holds its stream. A notification is one message to all other
 * nodes.
 */
export class ClusterSubscriptionManager extends SubscriptionManager {
  static {
    listenForAllNotifications = (manager, listener) =>
      listenForNotifications(manager.#local, listener);
  }

  readonly #node: ClusterNode;
  readonly #local: InMemorySubscriptionManager;
  /** How long other nodes may take to end a subscription, in milliseconds. */
  readonly #closeTimeoutMs: number;
  readonly #ids: SubscriptionIds;

  /**
   * Creates a manager without subscriptions. Its node must not have started.
   *
   * @param node This node.
   * @param options Limits and callbacks.
   * @throws {InvalidArgumentError} If an option is invalid.
   */
  constructor(node: ClusterNode, options?: ClusterSubscriptionManagerOptions) {
    super();
    this.#node = node;
    const limits = resolveSubscriptionOptions(options);
    this.#closeTimeoutMs = limits.closeTimeoutMs;
    this.#local = new InMemorySubscriptionManager({
      ...limits,
      onError: options?.onError,
    });
    node.handle("notification", ({ text }) => {
      void this.#local.send(JSON.parse(text)).catch((error) =>
        node.report(error)
      );
    });
    this.#ids = new SubscriptionIds(node, (key) => this.#local.has(...key));
    onSubscriptionEnd(this.#local, (...key) => this.#ids.release(key));
    node.respond(
      "unsubscribe",
      ({ id, origin, reason }) =>
        this.#local.close(id, origin, reason as SubscriptionCloseReason),
    );
    node.respond("unsubscribeAll", async ({ origin, reason }) => {
      await this.#local.closeAll(origin, reason as SubscriptionCloseReason);
      return true;
    });
  }

  /** How many subscriptions this node has. */
  get size(): number {
    return this.#local.size;
  }

  /** How many notifications this node has passed to them, once for each. */
  get notified(): number {
    return this.#local.notified;
  }

  /**
   * Registers a subscription on this node and acknowledges it, after the node
   * that decides about its ID has confirmed that it is free. See
   * `InMemorySubscriptionManager.create`.
   *
   * @param subscription The subscription.
   * @param callbacks How to reach its stream.
   * @returns `false` if the ID is already used in that origin, on any node.
   * @throws {InvalidArgumentError} If the subscription or a callback is
   * invalid.
   * @throws {LimitError} If it exceeds `maxPerOrigin` on this node, `maxUris` or
   * `maxUriBytes`.
   * @throws {DeliveryError} If `acknowledge` takes longer than `maxAgeMs`.
   * @throws {ClosedError} If the manager was closed.
   * @throws The error of `acknowledge`, if it fails. Nothing is registered
   * then.
   */
  override async create(
    subscription: Subscription,
    callbacks: SubscriptionCallbacks,
  ): Promise<boolean> {
    assertSubscription(subscription);
    assertCallbacks(callbacks);
    const { id, origin, filters } = subscription;
    if (this.#local.has(id, origin)) return false;
    this.#local.assertCapacity(subscription);
    const copy = { id, origin, filters: structuredClone(filters) };
    if (!await this.#ids.reserve([id, origin])) return false;
    try {
      return await this.#local.create(copy, callbacks);
    } finally {
      if (!this.#local.has(id, origin)) this.#ids.release([id, origin]);
    }
  }

  /**
   * Delivers a notification to every subscription whose filters match it, on
   * all nodes.
   *
   * @param notification The notification. It must be serializable as JSON.
   * @returns Resolves when every recipient of this node has accepted it, or
   * after `closeTimeoutMs`.
   * @throws {InvalidArgumentError} If the notification is invalid.
   */
  override async send(notification: JSONRPCNotification): Promise<void> {
    assertNotification(notification);
    try {
      const text = JSON.stringify(notification);
      this.#node.broadcast({ kind: "notification", text });
    } catch (cause) {
      throw new InvalidArgumentError(
        "notification",
        `"notification" must be serializable as JSON, but got ${
          formatValue(notification)
        }.`,
        { cause },
      );
    }
    await this.#local.send(notification);
  }

  /**
   * Ends a subscription on any node, after what that node has sent to it
   * before. See `InMemorySubscriptionManager.close`.
   *
   * @param id The JSON-RPC ID of the subscription. `1` and `"1"` are different.
   * @param origin The connection that it came from.
   * @param reason Passed to the subscription's `close`.
   * @returns `false` if there is no such subscription.
   */
  override async close(
    id: string | number,
    origin: string,
    reason: SubscriptionCloseReason,
  ): Promise<boolean> {
    if (this.#local.has(id, origin)) {
      return await this.#local.close(id, origin, reason);
    }
    const holder = await this.#ids.findHolder([id, origin]);
    return await this.#node.requestAny(
      { kind: "unsubscribe", id, origin, reason },
      // If nobody is known to have it, the nodes may have changed just now.
      {
        nodes: holder === undefined ? holder : [holder],
        extraTimeoutMs: this.#closeTimeoutMs,
      },
    );
  }

  /**
   * Ends every subscription, or every one of an origin, on all nodes.
   *
   * @param origin The connection. If omitted, all of them.
   * @param reason Passed to each `close`.
   */
  override async closeAll(
    origin?: string,
    reason?: SubscriptionCloseReason,
  ): Promise<void> {
    await Promise.all([
      this.#local.closeAll(origin, reason),
      this.#node.request({ kind: "unsubscribeAll", origin, reason }, {
        extraTimeoutMs: this.#closeTimeoutMs,
      }),
    ]);
  }

  /**
   * Ends every subscription of this node with the reason `"closed"` and refuses
   * new ones. The subscriptions of other nodes continue.
   */
  dispose(): Promise<void> {
    return this.#local[Symbol.asyncDispose]();
  }
}
