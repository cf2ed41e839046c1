/**
 * The tests that every manager of this package passes, for authors of their own
 * managers. Pass in the test function of your test runner.
 *
 * @example Test a manager of your own with `node:test`
 * ```ts no-eval
 * import { InMemoryStreamSessionManager } from "@crossmcp/session-manager";
 * import { testStreamSessionManager } from "@crossmcp/session-manager/testing";
 * import { describe, it } from "node:test";
 *
 * class LoudStreamSessionManager extends InMemoryStreamSessionManager {
 *   override send(sessions: string[] | undefined, data: string): void {
 *     super.send(sessions, data.toUpperCase());
 *   }
 * }
 *
 * describe("LoudStreamSessionManager", () => {
 *   testStreamSessionManager({
 *     test: it,
 *     skip: it.skip,
 *     create: (limits) => new LoudStreamSessionManager(limits),
 *     supports: { S8: false }, // What is read is not what was sent.
 *   });
 * });
 * ```
 *
 * @module
 */

export {
  type StreamSuiteOptions,
  testStreamSessionManager,
} from "./suites/stream_session_manager_suite.ts";
export {
  type InfoSuiteOptions,
  testInfoSessionManager,
} from "./suites/info_session_manager_suite.ts";
export {
  type SubscriptionSuiteOptions,
  testSubscriptionManager,
} from "./suites/subscription_manager_suite.ts";
export {
  type SessionsSuiteOptions,
  testSessions,
} from "./suites/sessions_suite.ts";
export {
  type ClusterSuiteOptions,
  testCluster,
} from "./suites/cluster_suite.ts";
export {
  type Delivery,
  LossyNetwork,
  type LossyNetworkOptions,
  type LossyNetworkStats,
  type NetworkConditions,
} from "./support/lossy_network.ts";
export type {
  ClusterFactory,
  ClusterNodeOptions,
  TestableClusterNode,
} from "./support/cluster_node.ts";
export type {
  ClusterBehaviour,
  InfoBehaviour,
  InfoLimits,
  SessionsBehaviour,
  StreamBehaviour,
  StreamLimits,
  SubscriptionBehaviour,
  SubscriptionLimits,
  TestableInfoSessionManager,
  TestableStreamSessionManager,
} from "./suites/behaviours.ts";
export type { SuiteOptions, TestFunction } from "./suites/suite.ts";
