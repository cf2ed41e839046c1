import {
  InMemorySubscriptionManager,
  type JSONRPCNotification,
  type Subscription,
  type SubscriptionCallbacks,
  type SubscriptionCloseReason,
  type SubscriptionManager,
} from "@crossmcp/session-manager";
import type { SubscriptionLimits } from "@crossmcp/session-manager/testing";

type Limits = SubscriptionLimits;

/** Replaces some callbacks of each subscription. */
function withCallbacks(
  replace: (callbacks: SubscriptionCallbacks) => Partial<SubscriptionCallbacks>,
): typeof InMemorySubscriptionManager {
  return class extends InMemorySubscriptionManager {
    override create(
      subscription: Subscription,
      callbacks: SubscriptionCallbacks,
    ): Promise<boolean> {
      return super.create(subscription, {
        ...callbacks,
        ...replace(callbacks),
      });
    }
  };
}

/** Changes each subscription before it is created. */
function withSubscription(
  change: (subscription: Subscription) => Subscription,
): typeof InMemorySubscriptionManager {
  return class extends InMemorySubscriptionManager {
    override create(
      subscription: Subscription,
      callbacks: SubscriptionCallbacks,
    ): Promise<boolean> {
      return super.create(change(subscription), callbacks);
    }
  };
}

/** Subscription managers with one fault each, by the name of the fault. */
export const brokenSubscriptions: Record<
  string,
  new (limits: Limits) => SubscriptionManager
> = {
  "does not wait for the acknowledgement": withCallbacks(({ acknowledge }) => ({
    acknowledge: () => void Promise.resolve(acknowledge()).catch(() => {}),
  })),
  "ignores the filters": withSubscription((subscription) => ({
    ...subscription,
    filters: {
      ...subscription.filters,
      toolsListChanged: true,
      promptsListChanged: true,
    },
  })),
  "ignores the case of URIs": withSubscription((subscription) => ({
    ...subscription,
    filters: {
      ...subscription.filters,
      resourceSubscriptions: subscription.filters.resourceSubscriptions
        ?.flatMap((uri) => [uri, uri.replace("/a", "/A")]) ?? [],
    },
  })),
  "treats the IDs 1 and '1' as equal": withSubscription((subscription) => ({
    ...subscription,
    id: String(subscription.id),
  })),
  "ignores the origin": class extends InMemorySubscriptionManager {
    override create(
      subscription: Subscription,
      callbacks: SubscriptionCallbacks,
    ): Promise<boolean> {
      return super.create({ ...subscription, origin: "origin" }, callbacks);
    }
    override close(
      id: string | number,
      _: string,
      reason: SubscriptionCloseReason,
    ): Promise<boolean> {
      return super.close(id, "origin", reason);
    }
  },
  "does not wait for send": withCallbacks(({ send }) => ({
    send: (notification) =>
      void Promise.resolve(send(notification)).catch(() => {}),
  })),
  "gives subscribers only 1 ms to close": class
    extends InMemorySubscriptionManager {
    constructor() {
      super({ closeTimeoutMs: 1 });
    }
  },
  "calls close twice": withCallbacks(({ close }) => ({
    close: async (reason) => {
      await close(reason);
      await close(reason);
    },
  })),
  "closes the subscriptions of every origin": class
    extends InMemorySubscriptionManager {
    override closeAll(
      _?: string,
      reason?: SubscriptionCloseReason,
    ): Promise<void> {
      return super.closeAll(undefined, reason);
    }
  },
  "ignores closeTimeoutMs": class extends InMemorySubscriptionManager {
    constructor() {
      super({ closeTimeoutMs: 2_000 });
    }
  },
  "keeps subscribers that throw": withCallbacks(({ send }) => ({
    send: async (notification) => {
      try {
        await send(notification);
      } catch {
        // The subscription stays open.
      }
    },
  })),
  "rejects when a subscriber throws": class
    extends InMemorySubscriptionManager {
    #failure: Error | undefined;
    constructor(limits: Limits) {
      super({ ...limits, onError: (error) => this.#failure = error });
    }
    override async send(notification: JSONRPCNotification): Promise<void> {
      await super.send(notification);
      if (this.#failure) throw this.#failure;
    }
  },
  "keeps subscribers that reject the acknowledgement": withCallbacks((
    { acknowledge },
  ) => ({
    acknowledge: async () => {
      try {
        await acknowledge();
      } catch {
        // The subscription stays open.
      }
    },
  })),
};
