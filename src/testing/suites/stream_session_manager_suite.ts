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
 * Registers the tests that every manager of streams has to pass:
 *
 * - S1 `has` follows `create` and `delete`.
 * - S2 `delete` closes the stream, once.
 * - S3 The latest stream of a session wins.
 * - S4 A late cancel of an older stream leaves the newer one alone.
 * - S5 A text reaches whom it is for, once.
 * - S6 A broken stream hurts nobody else and is removed.
 * - S7 A session gets its texts in the order of the calls.
 * - S8 What is read is exactly the UTF-8 of what was sent.
 * - S9 Every kind of stream works, or is refused.
 * - S10 A reader that falls behind is broken off, and no other.
 * - S11 Idle streams are kept alive, between frames.
 * - S12 `maxSessions` holds.
 * - S13 `close` ends everything, once.
 *
 * @param options The test function, the factory, and what it supports.
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
