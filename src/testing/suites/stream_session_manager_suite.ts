import type {
  StreamBehaviour,
  StreamLimits,
  TestableStreamSessionManager,
} from "./behaviours.ts";
import { streamBacklogCases } from "../cases/streams/backlog_cases.ts";
import { streamDeliveryCases } from "../cases/streams/delivery_cases.ts";
import { streamIdleCases } from "../cases/streams/idle_cases.ts";
import { streamLifecycleCases } from "../cases/streams/lifecycle_cases.ts";
import { streamOrderCases } from "../cases/streams/order_cases.ts";
import { register, type SuiteOptions } from "./suite.ts";

/** Options of {@linkcode testStreamSessionManager}. */
export interface StreamSuiteOptions extends
  SuiteOptions<
    TestableStreamSessionManager,
    StreamLimits,
    StreamBehaviour
  > {}

/**
 * Registers the tests that every manager of streams must pass:
 *
 * - S1 `has` follows `create` and `delete`.
 * - S2 `delete` closes the stream, once.
 * - S3 The newest stream of a session wins.
 * - S4 A late cancel of an older stream does not affect the newer one.
 * - S5 A frame reaches its recipients, once.
 * - S6 A broken stream is removed and affects no other.
 * - S7 A session gets its frames in the order of the calls.
 * - S8 What is read is exactly the UTF-8 of what was sent.
 * - S9 Every kind of stream works, or is refused.
 * - S10 A reader that falls behind is evicted, and no other.
 * - S11 Idle streams are kept alive, between frames.
 * - S12 `maxSessions` holds.
 * - S13 `close` ends everything, once.
 *
 * @param options The test function, the factory, and what it supports.
 * @throws {InvalidArgumentError} If an option is invalid.
 *
 * @example
 * ```ts no-eval
 * import { InMemoryStreamSessionManager } from "@crossmcp/session-manager";
 * import { testStreamSessionManager } from "@crossmcp/session-manager/testing";
 * import { describe, it } from "node:test";
 *
 * describe("InMemoryStreamSessionManager", () => {
 *   testStreamSessionManager({
 *     test: it,
 *     create: (limits) => new InMemoryStreamSessionManager(limits),
 *     dispose: (manager) => manager.close?.(),
 *   });
 * });
 * ```
 */
export function testStreamSessionManager(options: StreamSuiteOptions): void {
  const cases = [
    ...streamLifecycleCases,
    ...streamDeliveryCases,
    ...streamOrderCases,
    ...streamBacklogCases,
    ...streamIdleCases,
  ];
  register(cases, options);
}
