import type { ClusterBehaviour } from "./behaviours.ts";
import { clusterBusCases } from "../cases/cluster/bus_cases.ts";
import {
  type ClusterCase,
  clusterContext,
  type Made,
} from "../support/cluster_context.ts";
import { clusterInfoCases } from "../cases/cluster/metadata_cases.ts";
import { clusterLifetimeCases } from "../cases/cluster/lifetime_cases.ts";
import type { ClusterFactory } from "../support/cluster_node.ts";
import { clusterSendCases } from "../cases/cluster/send_cases.ts";
import { clusterSessionCases } from "../cases/cluster/session_cases.ts";
import { clusterSubscriptionCases } from "../cases/cluster/subscription_cases.ts";
import { register, type SuiteOptions } from "./suite.ts";

/** Options of {@linkcode testCluster}. */
export interface ClusterSuiteOptions extends
  ClusterFactory,
  Pick<
    SuiteOptions<never, never, ClusterBehaviour>,
    "test" | "skip" | "supports" | "timeoutMs"
  > {}

const CASES: readonly ClusterCase[] = [
  ...clusterBusCases,
  ...clusterSendCases,
  ...clusterSessionCases,
  ...clusterInfoCases,
  ...clusterLifetimeCases,
  ...clusterSubscriptionCases,
];

/**
 * Registers the tests that nodes have to pass which share their sessions, with
 * several of them in this process:
 *
 * - C1 What is sent on one node reaches the streams of all, once.
 * - C2 What one node sends to a session arrives in the order of the calls.
 * - C3 `has` and `delete` work from any node.
 * - C4 What was written on one node can be read on the others.
 * - C5 The latest stream of a session is the only one, on whatever node.
 * - C6 What a node had is gone with it, whether it was closed or died.
 * - C8 A burst of 20,000 texts arrives.
 * - C9 Who comes late ends up equal to the others.
 * - C10 Texts arrive once and in order, or their loss is reported.
 * - C11 Nodes that write at once lose nothing, and agree.
 * - C12 Long texts and long lists of sessions work.
 * - C13 Garbage on the bus harms nothing.
 * - C14 Clusters of different names never see each other.
 * - C15 Subscriptions are every node's.
 * - C16 What comes and goes leaves nothing behind.
 *
 * To prove a bus of your own, put `ClusterSessions` on it, and hand in `createBus`
 * as well. With a {@linkcode LossyNetwork} below, all of it has to hold while texts
 * get lost.
 *
 * @param options The test function, where nodes come from, and what they support.
 *
 * @example Prove a bus
 * ```ts no-eval
 * import { ClusterSessions } from "@crossmcp/session-manager/cluster";
 * import { LossyNetwork, testCluster } from "@crossmcp/session-manager/testing";
 * import { describe, it } from "node:test";
 *
 * describe("ClusterSessions, where every tenth text gets lost,", () => {
 *   const network = new LossyNetwork({ seed: 1, dropRate: 0.1 });
 *   testCluster({
 *     test: it,
 *     createNode: (cluster, options) =>
 *       new ClusterSessions(network.bus(cluster), options),
 *     kill: (node) => {
 *       for (const { name, isSelf } of node.nodes()) {
 *         if (isSelf) network.stop(name);
 *       }
 *     },
 *   });
 * });
 * ```
 */
export function testCluster(options: ClusterSuiteOptions): void {
  const { test, skip, supports, timeoutMs } = options;
  for (const { behaviour, name, needs, run } of CASES) {
    const isPossible = needs === undefined || options[needs] !== undefined;
    register<Made, () => Made | Promise<Made>, ClusterBehaviour>(
      [{
        behaviour,
        name,
        run: (context) => run(clusterContext(options, context)),
      }],
      {
        test,
        skip,
        timeoutMs,
        supports: isPossible ? supports : { ...supports, [behaviour]: false },
        create: (make) => make(),
        dispose: (made) => made.close(),
      },
    );
  }
}
