import {
  assertKnownOptions,
  SUBSCRIPTION_OPTIONS,
} from "../contracts/known_options.ts";
import { Listeners, safeCallback } from "../runtime/callbacks.ts";
import { ClosedError, LimitError } from "../errors.ts";
import type {
  JSONRPCNotification,
  SubscriptionFilter,
} from "../protocol/mcp_types.ts";
import type {
  ErrorReportingOptions,
  SubscriptionOptions,
} from "../contracts/options.ts";
import {
  resolveSubscriptionOptions,
  type SubscriptionSettings,
} from "../contracts/resolve_options.ts";
import {
  type Subscription,
  type SubscriptionCallbacks,
  type SubscriptionCloseReason,
  SubscriptionManager,
} from "../contracts/subscription_manager.ts";
import { exceedsBytes } from "../runtime/utf8_length.ts";
import { waitAtMost } from "../runtime/deadline.ts";
import { SubscriptionQueue } from "../subscriptions/subscriber.ts";
import { FilterIndex } from "../subscriptions/filter_index.ts";
import {
  assertCallbacks,
  assertNotification,
  assertSubscription,
} from "../subscriptions/subscription_arguments.ts";

/** Called with each notification that is sent, whatever its subscriptions. */
export type NotificationListener = (notification: JSONRPCNotification) => void;

/**
 * Adds a listener to a subscription manager; the result removes it. Hosts of
 * servers need it, users don't: a subscription names what it wants.
 */
export let listenForNotifications: (
  manager: InMemorySubscriptionManager,
  listener: NotificationListener,
) => () => void;

/**
 * Sets a function that is called with each subscription that has ended, when its
 * ID is free again.
 */
export let onSubscriptionEnd: (
  manager: InMemorySubscriptionManager,
  listener: (id: string | number, origin: string) => void,
) => void;

/** Options of an {@linkcode InMemorySubscriptionManager}. */
export interface InMemorySubscriptionManagerOptions
  extends SubscriptionOptions, ErrorReportingOptions {}

/**
 * Routes notifications to the subscriptions of this process.
 *
 * The cost of a notification depends on its recipients, not on the number of
 * other subscriptions. A subscription whose callback throws, or does not settle
 * in time, is closed, removed and reported to `onError`.
 *
 * @example
 * ```ts
 * import { InMemorySubscriptionManager } from "@crossmcp/session-manager";
 *
 * const subscriptions = new InMemorySubscriptionManager({ closeTimeoutMs: 500 });
 * const created = await subscriptions.create(
 *   { id: 7, origin: "a", filters: { promptsListChanged: true } },
 *   {
 *     acknowledge: () => {},
 *     send: (notification) => console.log(notification.method),
 *     close: (reason) => console.log(reason),
 *   },
 * );
 * console.log(created); // true
 * await subscriptions.closeAll(undefined, "closed");
 * ```
 */
export class InMemorySubscriptionManager extends SubscriptionManager
  implements AsyncDisposable {
  static {
    onSubscriptionEnd = (manager, listener) => {
      manager.#onEnd = listener;
    };
    listenForNotifications = (manager, listener) =>
      manager.#listeners.add(listener);
  }

  readonly #listeners = new Listeners<JSONRPCNotification>();
  readonly #origins: Map<string, Map<string | number, SubscriptionQueue>> =
    new Map();
  readonly #index: FilterIndex<SubscriptionQueue> = new FilterIndex();
  readonly #limits: SubscriptionSettings;
  readonly #report: (error: Error) => void;
  #size = 0;
  #notified = 0;
  #onEnd: (id: string | number, origin: string) => void = () => {};
  #closed = false;

  /**
   * Creates a manager without subscriptions.
   *
   * @param options Limits and callbacks.
   * @throws {InvalidArgumentError} If an option is invalid.
   */
  constructor(options?: InMemorySubscriptionManagerOptions) {
    super();
    assertKnownOptions(options, SUBSCRIPTION_OPTIONS);
    this.#limits = resolveSubscriptionOptions(options);
    this.#report = safeCallback("onError", options?.onError);
  }

  /** How many subscriptions there are. */
  get size(): number {
    return this.#size;
  }

  /** How many notifications were passed to subscriptions, once for each. */
  get notified(): number {
    return this.#notified;
  }

  /**
   * Registers a subscription and acknowledges it. Notifications that arrive
   * meanwhile are delivered after the acknowledgement, in order. Resolves when
   * those are delivered as well.
   *
   * @param subscription The subscription. It is copied.
   * @param callbacks How to reach its stream.
   * @returns `false` if the ID is already used in that origin.
   * @throws {InvalidArgumentError} If the subscription or a callback is
   * invalid.
   * @throws {LimitError} If it exceeds `maxPerOrigin`, `maxUris` or
   * `maxUriBytes`.
   * @throws {DeliveryError} If `acknowledge` takes longer than `maxAgeMs`.
   * @throws {ClosedError} If the manager was disposed of.
   * @throws The error of `acknowledge`, if it fails. Nothing is registered
   * then.
   */
  override async create(
    subscription: Subscription,
    callbacks: SubscriptionCallbacks,
  ): Promise<boolean> {
    assertSubscription(subscription);
    assertCallbacks(callbacks);
    if (this.#closed) {
      throw new ClosedError(
        "This subscription manager is closed. Create a new one to subscribe.",
      );
    }
    const { id, origin, filters } = subscription;
    const siblings = this.#origins.get(origin) ?? new Map();
    if (siblings.has(id)) return false;
    this.#assertCapacity(siblings.size, filters);
    const subscriber: SubscriptionQueue = new SubscriptionQueue(
      { id, origin },
      callbacks,
      this.#limits,
      () => {
        this.#size--;
        removeFromIndex();
        siblings.delete(id);
        if (siblings.size === 0) this.#origins.delete(origin);
        this.#onEnd(id, origin);
      },
      this.#report,
    );
    this.#size++;
    const removeFromIndex = this.#index.add(subscriber, filters);
    siblings.set(id, subscriber);
    this.#origins.set(origin, siblings);
    await subscriber.acknowledge();
    return true;
  }

  /**
   * Returns whether a subscription exists.
   *
   * @param id The JSON-RPC ID of the subscription. `1` and `"1"` are different.
   * @param origin The connection that it came from.
   */
  has(id: string | number, origin: string): boolean {
    return this.#origins.get(origin)?.has(id) === true;
  }

  /**
   * Throws if a subscription cannot be added.
   *
   * @param subscription The subscription.
   * @throws {InvalidArgumentError} If it is invalid.
   * @throws {LimitError} If it exceeds `maxPerOrigin`, `maxUris` or
   * `maxUriBytes`.
   */
  assertCapacity(subscription: Subscription): void {
    assertSubscription(subscription);
    const { origin, filters } = subscription;
    this.#assertCapacity(this.#origins.get(origin)?.size ?? 0, filters);
  }

  /** @param count How many subscriptions the origin has. */
  #assertCapacity(count: number, filters: SubscriptionFilter): void {
    const { maxPerOrigin, maxUris, maxUriBytes } = this.#limits;
    const { resourceSubscriptions: uris = [] } = filters;
    if (count >= maxPerOrigin) {
      const message = "The origin has too many subscriptions.";
      throw new LimitError("subscriptions.maxPerOrigin", maxPerOrigin, message);
    }
    if (uris.length > maxUris) {
      const message = "The subscription has too many URIs.";
      throw new LimitError("subscriptions.maxUris", maxUris, message);
    }
    if (uris.some((uri) => exceedsBytes(uri, maxUriBytes))) {
      const message = "A URI of the subscription has too many bytes.";
      throw new LimitError("subscriptions.maxUriBytes", maxUriBytes, message);
    }
  }

  /**
   * Delivers a notification to every subscription whose filters match it. Does
   * not reject if a subscription fails.
   *
   * @param notification The notification. Every recipient gets the same object.
   * @returns Resolves when every recipient has accepted it, or after
   * `closeTimeoutMs`; slower ones still get it, in order.
   * @throws {InvalidArgumentError} If the notification is invalid.
   */
  override async send(notification: JSONRPCNotification): Promise<void> {
    assertNotification(notification);
    this.#listeners.notify(notification);
    const pending: Promise<void>[] = [];
    const recipients = this.#index.match(notification);
    this.#notified += recipients.length;
    for (const subscriber of recipients) {
      const taken = subscriber.send(notification);
      if (taken !== undefined) pending.push(taken);
    }
    if (pending.length === 0) return;
    await waitAtMost(Promise.all(pending), this.#limits.closeTimeoutMs);
  }

  /**
   * Ends a subscription, after what was sent before, within `closeTimeoutMs`.
   * Its `close` is called once, and nothing afterwards.
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
    const subscriber = this.#origins.get(origin)?.get(id);
    if (subscriber === undefined) return false;
    await subscriber.close(reason);
    return true;
  }

  /**
   * Ends every subscription, or every one of an origin, all at once. See
   * {@linkcode close}.
   *
   * @param origin The connection. If omitted, all of them.
   * @param reason Passed to each `close`.
   */
  override async closeAll(
    origin?: string,
    reason: SubscriptionCloseReason = "cancelled",
  ): Promise<void> {
    const groups = origin === undefined ? [...this.#origins.values()] : [
      this.#origins.get(origin) ??
        new Map<string | number, SubscriptionQueue>(),
    ];
    await Promise.all(
      groups.flatMap((group) => [...group.values()])
        .map((subscriber) => subscriber.close(reason)),
    );
  }

  /**
   * Ends every subscription with the reason `"closed"` and refuses new ones.
   * For `await using`. Calling it again changes nothing.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.closeAll(undefined, "closed");
  }
}
