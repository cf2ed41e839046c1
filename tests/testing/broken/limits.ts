import {
  type ClientInfo,
  type HttpOptions,
  InMemoryInfoSessionManager,
  InMemorySubscriptionManager,
  LimitError,
} from "@crossmcp/session-manager";
import type {
  InfoLimits,
  SubscriptionLimits,
} from "@crossmcp/session-manager/testing";
import { withOptions } from "./faulty.ts";
import type { brokenGuards } from "./guards.ts";
import type { brokenInfo } from "./info.ts";
import type { brokenSubscriptions } from "./subscriptions.ts";

/** Info managers with one fault each in what a session may store. */
export const brokenInfoLimits: typeof brokenInfo = {
  "ignores maxSubscriptionsPerSession": infoWith({
    maxSubscriptionsPerSession: Infinity,
  }),
  "ignores maxUriBytes": infoWith({ maxUriBytes: Infinity }),
  "ignores maxClientInfoBytes": infoWith({ maxClientInfoBytes: Infinity }),
  "ignores maxCapabilitiesBytes": infoWith({ maxCapabilitiesBytes: Infinity }),
  "counts characters instead of bytes": class
    extends InMemoryInfoSessionManager {
    readonly #max: number;
    constructor(limits: InfoLimits) {
      super({ ...limits, maxClientInfoBytes: Infinity });
      this.#max = limits.maxClientInfoBytes ?? Infinity;
    }
    override async setClientInfo(id: string, info: ClientInfo): Promise<void> {
      if (JSON.stringify(info).length <= this.#max) {
        return await super.setClientInfo(id, info);
      }
      throw new LimitError("info.maxClientInfoBytes", this.#max, "Too long.");
    }
  },
};

/** Subscription managers with one fault each in what a client may hold. */
export const brokenSubscriptionLimits: typeof brokenSubscriptions = {
  "ignores maxPerOrigin": subscriptionsWith({ maxPerOrigin: Infinity }),
  "ignores maxUris": subscriptionsWith({ maxUris: Infinity }),
  "ignores the length of URIs": subscriptionsWith({ maxUriBytes: Infinity }),
};

/** Sessions with one fault each in what a client may hold. */
export const brokenClientLimits: typeof brokenGuards = {
  "ignores maxSessionsPerPrincipal": withOptions(({ info, ...options }) => ({
    ...options,
    info: { ...info, maxSessionsPerPrincipal: Infinity },
  })),
  "ignores maxNewSessionsPerSecond": sessionsWith({
    maxNewSessionsPerSecond: Infinity,
  }),
  "ignores maxRequestsPerSession": sessionsWith({
    maxRequestsPerSession: Infinity,
  }),
  "ignores maxStreamsPerPrincipal": sessionsWith({
    maxStreamsPerPrincipal: Infinity,
  }),
  "ignores maxShare": withOptions(({ streams, ...options }) => {
    const { replay } = streams ?? {};
    return {
      ...options,
      streams: {
        ...streams,
        ...replay && { replay: { ...replay, maxShare: 1 } },
      },
    };
  }),
  "begins sessions whose client info was refused": withOptions(
    ({ info, ...options }) => ({
      ...options,
      info: {
        ...info,
        maxClientInfoBytes: Infinity,
        maxCapabilitiesBytes: Infinity,
      },
    }),
  ),
  "never calls onRefuse": withOptions(({ onRefuse: _, ...options }) => options),
  "calls onRefuse twice": withOptions(({ onRefuse, ...options }) => ({
    ...options,
    onRefuse: (...refusal) => {
      try {
        onRefuse?.(...refusal);
      } finally {
        onRefuse?.(...refusal);
      }
    },
  })),
};

function sessionsWith(fault: HttpOptions): (typeof brokenGuards)[string] {
  return withOptions(({ http, ...options }) => ({
    ...options,
    http: { ...http, ...fault },
  }));
}

function infoWith(fault: InfoLimits): typeof InMemoryInfoSessionManager {
  return class extends InMemoryInfoSessionManager {
    constructor(limits: InfoLimits = {}) {
      super({ ...limits, ...fault });
    }
  };
}

function subscriptionsWith(
  fault: SubscriptionLimits,
): typeof InMemorySubscriptionManager {
  return class extends InMemorySubscriptionManager {
    constructor(limits: SubscriptionLimits = {}) {
      super({ ...limits, ...fault });
    }
  };
}
