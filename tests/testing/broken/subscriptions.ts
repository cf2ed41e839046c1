import {
  InMemorySubscriptionManager,
  type JSONRPCNotification,
  type Subscription,
  type SubscriptionCallbacks,
  type SubscriptionCloseReason,
  type SubscriptionManager,
} from "@crossmcp/session-manager";

type Limits = { closeTimeoutMs?: number | undefined };

/** Replaces some of a subscription's callbacks. */
function rewired(
  rewire: (callbacks: SubscriptionCallbacks) => Partial<SubscriptionCallbacks>,
): typeof InMemorySubscriptionManager {
  return class extends InMemorySubscriptionManager {
    override create(
      subscription: Subscription,
      callbacks: SubscriptionCallbacks,
    ): Promise<boolean> {
      return super.create(subscription, { ...callbacks, ...rewire(callbacks) });
    }
  };
}

/** Replaces what a subscription asks for. */
function altered(
  alter: (subscription: Subscription) => Subscription,
): typeof InMemorySubscriptionManager {
  return class extends InMemorySubscriptionManager {
    override create(
      subscription: Subscription,
      callbacks: SubscriptionCallbacks,
    ): Promise<boolean> {
      return super.create(alter(subscription), callbacks);
    }
  };
}

/** Managers of subscriptions with one fault each. */
export const brokenSubscriptions: Record<
  string,
  new (limits: Limits) => SubscriptionManager
> = {
  "does not wait for the acknowledgement": rewired(({ acknowledge }) => ({
    acknowledge: () => void Promise.resolve(acknowledge()).catch(() => {}),
  })),
  "ignores the filter": altered((subscription) => ({
    ...subscription,
    filters: {
      ...subscription.filters,
      toolsListChanged: true,
      promptsListChanged: true,
    },
  })),
  "folds the case of URIs": altered((subscription) => ({
    ...subscription,
    filters: {
      ...subscription.filters,
      resourceSubscriptions: subscription.filters.resourceSubscriptions
        ?.flatMap((uri) => [uri, uri.replace("/a", "/A")]) ?? [],
    },
  })),
  "takes 1 for '1'": altered((subscription) => ({
    ...subscription,
    id: String(subscription.id),
  })),
  "has one origin": class extends InMemorySubscriptionManager {
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
  "delivers two at once": rewired(({ send }) => ({
    send: (notification) =>
      void Promise.resolve(send(notification)).catch(() => {}),
  })),
  "closes at once": class extends InMemorySubscriptionManager {
    constructor() {
      super({ closeTimeoutMs: 1 });
    }
  },
  "closes twice": rewired(({ close }) => ({
    close: async (reason) => {
      await close(reason);
      await close(reason);
    },
  })),
  "closes every origin": class extends InMemorySubscriptionManager {
    override closeAll(
      _?: string,
      reason?: SubscriptionCloseReason,
    ): Promise<void> {
      return super.closeAll(undefined, reason);
    }
  },
  "waits forever": class extends InMemorySubscriptionManager {
    constructor() {
      super({ closeTimeoutMs: 2_000 });
    }
  },
  "keeps what throws": rewired(({ send }) => ({
    send: async (notification) => {
      try {
        await send(notification);
      } catch {
        // Nobody cares.
      }
    },
  })),
  "rejects for what throws": class extends InMemorySubscriptionManager {
    #failure: Error | undefined;
    constructor(limits: Limits) {
      super({ ...limits, onError: (error) => this.#failure = error });
    }
    override async send(notification: JSONRPCNotification): Promise<void> {
      await super.send(notification);
      if (this.#failure) throw this.#failure;
    }
  },
  "overlooks a refusal": rewired(({ acknowledge }) => ({
    acknowledge: async () => {
      try {
        await acknowledge();
      } catch {
        // Nobody cares.
      }
    },
  })),
};
