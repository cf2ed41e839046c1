import { clusterReplacementCases } from "../cases/cluster/replacement_cases.ts";
import { clusterTransportCases } from "../cases/cluster/transport_cases.ts";
import type { ClusterBehaviour } from "./behaviours.ts";
import { clusterBusCases } from "../cases/cluster/bus_cases.ts";
import { clusterInvalidMessageCases } from "../cases/cluster/invalid_message_cases.ts";
import {
  type ClusterCase,
  clusterContext,
  type NodeOrBus,
} from "../support/cluster_context.ts";
import { clusterInfoCases } from "../cases/cluster/metadata_cases.ts";
import { clusterLifetimeCases } from "../cases/cluster/lifetime_cases.ts";
import type { ClusterFactory } from "../support/cluster_node.ts";
import { clusterNotifyCases } from "../cases/cluster/notify_cases.ts";
import { clusterStatsCases } from "../cases/cluster/stats_cases.ts";
import { clusterBeginEndCases } from "../cases/cluster/begin_end_cases.ts";
import { clusterEndCases } from "../cases/cluster/end_cases.ts";
import { clusterListCases } from "../cases/cluster/list_cases.ts";
import { clusterRequestCases } from "../cases/cluster/request_cases.ts";
import { clusterSendCases } from "../cases/cluster/send_cases.ts";
import { clusterSessionCases } from "../cases/cluster/session_cases.ts";
import { clusterSubscriptionCases } from "../cases/cluster/subscription_cases.ts";
import { type Case, register, type SuiteOptions } from "./suite.ts";

/** Options of {@linkcode testCluster}. */
export interface ClusterSuiteOptions extends
  ClusterFactory,
  Pick<
    SuiteOptions<never, never, ClusterBehaviour>,
    "test" | "skip" | "supports" | "timeoutMs"
  > {}

/** Creates a node or a bus. */
type Create = () => NodeOrBus | Promise<NodeOrBus>;

const CASES: readonly ClusterCase[] = [
  ...clusterBusCases,
  ...clusterInvalidMessageCases,
  ...clusterSendCases,
  ...clusterSessionCases,
  ...clusterInfoCases,
  ...clusterLifetimeCases,
  ...clusterSubscriptionCases,
  ...clusterTransportCases,
  ...clusterReplacementCases,
  ...clusterRequestCases,
  ...clusterNotifyCases,
  ...clusterBeginEndCases,
  ...clusterStatsCases,
  ...clusterEndCases,
  ...clusterListCases,
];

/**
 * Registers tests for nodes that share their sessions. Each test starts several
 * nodes in this process:
 *
 * - C1 What is sent on one node reaches the streams of all nodes, once.
 * - C2 What one node sends to a session arrives in the order of the calls.
 * - C3 `has` and `delete` work from any node.
 * - C4 What was written on one node can be read on the others.
 * - C5 The newest stream of a session is the only one, on whichever node.
 * - C6 The streams of a node are gone when it closes or crashes.
 * - C8 A burst of 20,000 frames arrives.
 * - C9 A node that joins later gets the same data as the others.
 * - C10 Frames arrive once and in order, or their loss is reported.
 * - C11 Concurrent writes lose nothing, and the nodes agree.
 * - C12 Long frames and long lists of sessions work.
 * - C13 Invalid messages on the bus are ignored.
 * - C14 Clusters of different names share nothing.
 * - C15 Subscriptions work across nodes.
 * - C16 Nodes and sessions that are gone leave nothing behind.
 * - P4 A request that was cut off can be resumed on any node.
 * - P5 If the node that works on a request dies, its client gets an error.
 * - P6 A client's response reaches the node that waits for it, once.
 * - P7 So do cancellations and progress.
 * - O1 `notify` reaches the clients of all nodes, once.
 * - O2 The sessions of a principal on all nodes can be addressed together.
 * - O3 A session that was ended is gone on all nodes at once.
 * - O4 Every node lists the sessions of all nodes.
 * - O5 What began and ended is reported and counted once, by one node.
 *
 * To test a bus of your own, create `ClusterSessions` on it, and pass `createBus`
 * as well. On a {@linkcode LossyNetwork}, everything must work while messages get
 * lost.
 *
 * @param options The test function, how to create nodes, and what they support.
 * @throws {InvalidArgumentError} If an option is invalid.
 *
 * @example Test a bus
 * ```ts no-eval
 * import { ClusterSessions } from "@crossmcp/session-manager/cluster";
 * import { LossyNetwork, testCluster } from "@crossmcp/session-manager/testing";
 * import { describe, it } from "node:test";
 *
 * describe("ClusterSessions, with one in ten messages lost", () => {
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
  const cases = CASES.map((
    { behaviour, name, requires, run },
  ): Case<NodeOrBus, Create, ClusterBehaviour> => ({
    behaviour,
    name,
    isPossible: requires === undefined || options[requires] !== undefined,
    run: (context) => run(clusterContext(options, context)),
  }));
  register(cases, {
    test,
    skip,
    supports,
    timeoutMs,
    create: (create) => create(),
    dispose: async (nodeOrBus) => {
      try {
        await nodeOrBus.close();
      } catch (cause) {
        throw new Error(
          `"close" must not throw or reject, but failed with: ${cause}`,
          { cause },
        );
      }
    },
  });
}
