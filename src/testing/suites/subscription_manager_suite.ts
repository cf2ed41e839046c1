import type { SubscriptionManager } from "../../contracts/subscription_manager.ts";
import type {
  SubscriptionBehaviour,
  SubscriptionLimits,
} from "./behaviours.ts";
import { register, type SuiteOptions } from "./suite.ts";
import { subscriptionDeliveryCases } from "../cases/subscriptions/delivery_cases.ts";
import { subscriptionFailureCases } from "../cases/subscriptions/failure_cases.ts";
import { subscriptionLimitCases } from "../cases/subscriptions/limit_cases.ts";

/** Options of {@linkcode testSubscriptionManager}. */
export interface SubscriptionSuiteOptions extends
  SuiteOptions<
    SubscriptionManager,
    SubscriptionLimits,
    SubscriptionBehaviour
  > {}

/**
 * Registers the tests that every manager of subscriptions must pass:
 *
 * - U1 The acknowledgement comes first.
 * - U2 Only notifications that match the filter are delivered.
 * - U3 IDs differ by type and origin, and a taken one is refused.
 * - U4 A subscription gets notifications in the order of the calls.
 * - U5 `close` waits for what was sent before it, then closes once.
 * - U6 A subscription that never settles blocks no other.
 * - U7 A subscription that throws is closed and removed.
 * - U8 A failing acknowledgement removes the subscription.
 * - L4 Subscriptions of an origin, their URIs, and the bytes of those are
 *   limited.
 *
 * @param options The test function, the factory, and what it supports.
 * @throws {InvalidArgumentError} If an option is invalid.
 *
 * @example
 * ```ts no-eval
 * import { InMemorySubscriptionManager } from "@crossmcp/session-manager";
 * import { testSubscriptionManager } from "@crossmcp/session-manager/testing";
 * import { describe, it } from "node:test";
 *
 * describe("InMemorySubscriptionManager", () => {
 *   testSubscriptionManager({
 *     test: it,
 *     create: (limits) => new InMemorySubscriptionManager(limits),
 *   });
 * });
 * ```
 */
export function testSubscriptionManager(
  options: SubscriptionSuiteOptions,
): void {
  register(
    [
      ...subscriptionDeliveryCases,
      ...subscriptionFailureCases,
      ...subscriptionLimitCases,
    ],
    options,
  );
}
