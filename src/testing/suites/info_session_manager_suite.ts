import type {
  InfoBehaviour,
  InfoLimits,
  TestableInfoSessionManager,
} from "./behaviours.ts";
import { infoDataCases } from "../cases/metadata/data_cases.ts";
import { infoExpiryCases } from "../cases/metadata/expiry_cases.ts";
import { infoLimitCases } from "../cases/metadata/limit_cases.ts";
import { infoMetadataCases } from "../cases/metadata/values_cases.ts";
import { infoSubscriptionCases } from "../cases/metadata/subscription_cases.ts";
import { register, type SuiteOptions } from "./suite.ts";

/** Options of {@linkcode testInfoSessionManager}. */
export interface InfoSuiteOptions
  extends SuiteOptions<TestableInfoSessionManager, InfoLimits, InfoBehaviour> {}

/**
 * Registers the tests that every manager of metadata must pass:
 *
 * - I1 Client info, capabilities and all log levels are returned as they were
 *   set.
 * - I2 Stored values cannot be changed from outside.
 * - I3 Getters reject with `SessionNotFoundError` if nothing is stored.
 * - I4 An unknown log level is refused.
 * - I5 Subscribing is idempotent, and works for many sessions and URIs.
 * - I6 Unusual URIs and session IDs never collide.
 * - I7 `delete` removes everything of a session and nothing else.
 * - I8 The metadata of unused sessions expires, and `maxSessions` holds.
 * - I9 Names such as `__proto__` are ordinary.
 * - I10 100,000 sessions come and go.
 * - I11 A session has a value of the user's, bounded, and deleted with it.
 * - L2 The resource subscriptions of a session, and their URIs, are limited.
 * - L3 So are the bytes of client info and of capabilities.
 *
 * @param options The test function, the factory, and what it supports.
 * @throws {InvalidArgumentError} If an option is invalid.
 *
 * @example
 * ```ts no-eval
 * import { InMemoryInfoSessionManager } from "@crossmcp/session-manager";
 * import { testInfoSessionManager } from "@crossmcp/session-manager/testing";
 * import { describe, it } from "node:test";
 *
 * describe("InMemoryInfoSessionManager", () => {
 *   testInfoSessionManager({
 *     test: it,
 *     create: (limits) => new InMemoryInfoSessionManager(limits),
 *   });
 * });
 * ```
 */
export function testInfoSessionManager(options: InfoSuiteOptions): void {
  const cases = [
    ...infoMetadataCases,
    ...infoSubscriptionCases,
    ...infoExpiryCases,
    ...infoDataCases,
    ...infoLimitCases,
  ];
  register(cases, options);
}
