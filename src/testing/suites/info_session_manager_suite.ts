import type { InfoSessionManager } from "../../contracts/info_session_manager.ts";
import type { InfoBehaviour, InfoLimits } from "./behaviours.ts";
import { infoExpiryCases } from "../cases/metadata/expiry_cases.ts";
import { infoMetadataCases } from "../cases/metadata/values_cases.ts";
import { infoSubscriptionCases } from "../cases/metadata/subscription_cases.ts";
import { register, type SuiteOptions } from "./suite.ts";

/** Options of {@linkcode testInfoSessionManager}. */
export interface InfoSuiteOptions
  extends SuiteOptions<InfoSessionManager, InfoLimits, InfoBehaviour> {}

/**
 * Registers the tests that every manager of metadata has to pass:
 *
 * - I1 Client info, capabilities and all log levels come back as they were.
 * - I2 Nobody outside can change what is stored.
 * - I3 Getters reject with `SessionNotFoundError` for what is unknown.
 * - I4 An unknown log level is refused.
 * - I5 Subscribing is idempotent, and works for many sessions and URIs.
 * - I6 Odd URIs and session ids never collide.
 * - I7 `delete` forgets all of a session and nothing else.
 * - I8 What nobody uses is forgotten, and `maxSessions` holds.
 * - I9 Names such as `__proto__` are ordinary.
 * - I10 100,000 sessions come and go.
 *
 * @param options The test function, the factory, and what it supports.
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
  ];
  register(cases, options);
}
