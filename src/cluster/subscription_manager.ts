import { formatValue } from "../runtime/describe.ts";
import { InvalidArgumentError } from "../errors.ts";
import {
  assertCallbacks,
  assertNotification,
  assertSubscription,
  InMemorySubscriptionManager,
} from "../in_memory/subscription_manager.ts";
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
import { isNewer, type Timestamp } from "./membership/hybrid_clock.ts";
import type { ClusterNode } from "./membership/cluster_node.ts";

/** Options of a manager of subscriptions on several nodes. */
export interface ClusterSubscriptionManagerOptions
  extends SubscriptionOptions, ErrorReportingOptions {}

/**
 * Routes notifications to the subscriptions of all nodes. Each subscription is on the
 * node that holds its stream; a notification goes once to every other node.
 */
export class ClusterSubscriptionManager extends SubscriptionManager {
  readonly #node: ClusterNode;
  readonly #local: InMemorySubscriptionManager;
  /** How long others may take to end a subscription, in milliseconds. */
  readonly #closeTimeoutMs: number;
  /** Subscriptions of this node that others are asked about. */
  readonly #pending: Map<string, Timestamp> = new Map();

  /**
   * Makes a manager without subscriptions, before its node starts.
   *
   * @param node Knows the other nodes.
   * @param options Limits, and where failures are reported.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(node: ClusterNode, options?: ClusterSubscriptionManagerOptions) {
    super();
    this.#node = node;
    this.#closeTimeoutMs = resolveSubscriptionOptions(options).closeTimeoutMs;
    this.#local = new InMemorySubscriptionManager(options);
    node.handle("notification", ({ text }) => {
      void this.#local.send(JSON.parse(text)).catch((error) =>
        node.report(error)
      );
    });
    node.respond("subscribed", ({ id, origin, at }) => {
      this.#node.clock.observe(at);
      const pending = this.#pending.get(keyOf(id, origin));
      return this.#local.has(id, origin) ||
        (pending !== undefined && isNewer(at, pending));
    });
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

  /**
   * Registers a subscription on this node and acknowledges it, once the other nodes
   * have said that it is none of theirs. See `InMemorySubscriptionManager.create`.
   *
   * @param subscription What to register.
   * @param callbacks How to reach its stream.
   * @returns `false` when the id is taken in that origin, on whichever node.
   * @throws {InvalidArgumentError} For a subscription or callbacks that are none.
   * @throws {DeliveryError} When `acknowledge` takes longer than `maxAgeMs`.
   * @throws {ClosedError} After the manager was closed.
   * @throws The error of `acknowledge` when it fails; nothing is registered then.
   */
  override async create(
    subscription: Subscription,
    callbacks: SubscriptionCallbacks,
  ): Promise<boolean> {
    assertSubscription(subscription);
    assertCallbacks(callbacks);
    const { id, origin, filters } = subscription;
    const key = keyOf(id, origin);
    if (this.#pending.has(key) || this.#local.has(id, origin)) return false;
    const copy = { id, origin, filters: structuredClone(filters) };
    const at = this.#node.clock.next();
    this.#pending.set(key, at);
    try {
      const ask = { kind: "subscribed", id, origin, at } as const;
      if (await this.#node.requestAny(ask)) return false;
      const created = this.#local.create(copy, callbacks);
      // From here on it is this node's.
      this.#pending.delete(key);
      return await created;
    } finally {
      this.#pending.delete(key);
    }
  }

  /**
   * Delivers a notification to every subscription that asked for it, on all nodes.
   *
   * @param notification The notification, an object that JSON can express.
   * @returns What resolves once every recipient of this node has taken it, at the
   * latest after `closeTimeoutMs`.
   * @throws {InvalidArgumentError} For a notification that is none.
   */
  override async send(notification: JSONRPCNotification): Promise<void> {
    assertNotification(notification);
    try {
      const text = JSON.stringify(notification);
      this.#node.broadcast({ kind: "notification", text });
    } catch (cause) {
      throw new InvalidArgumentError(
        "notification",
        `A notification has to be an object that JSON can express, not ${
          formatValue(notification)
        }.`,
        { cause },
      );
    }
    await this.#local.send(notification);
  }

  /**
   * Ends one subscription, on whichever node it is, after what that node has sent to
   * it before. See `InMemorySubscriptionManager.close`.
   *
   * @param id JSON-RPC id of the subscription: `1` and `"1"` are different.
   * @param origin The connection it came from.
   * @param reason Handed to the subscription's `close`.
   * @returns `false` when there is no such subscription.
   */
  override async close(
    id: string | number,
    origin: string,
    reason: SubscriptionCloseReason,
  ): Promise<boolean> {
    if (this.#local.has(id, origin)) {
      return await this.#local.close(id, origin, reason);
    }
    return await this.#node.requestAny(
      { kind: "unsubscribe", id, origin, reason },
      { extraTimeoutMs: this.#closeTimeoutMs },
    );
  }

  /**
   * Ends every subscription, or every one of an origin, on all nodes.
   *
   * @param origin The connection; left out, all of them.
   * @param reason Handed to each `close`.
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
   * Ends every subscription of this node with the reason `"closed"` and refuses new
   * ones. The subscriptions of other nodes go on.
   */
  dispose(): Promise<void> {
    return this.#local[Symbol.asyncDispose]();
  }
}

function keyOf(id: string | number, origin: string): string {
  return JSON.stringify([id, origin]);
}
