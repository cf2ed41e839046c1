import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import {
  type ClusterNodeOptions,
  LossyNetwork,
  type LossyNetworkOptions,
  testCluster,
} from "@crossmcp/session-manager/testing";
import { describe, it } from "node:test";
import { killOn } from "./support/kill.ts";

describe("ClusterSessions, on a network that loses nothing,", () => {
  testOn({});
});

describe("ClusterSessions, on a network that loses every twentieth text,", () => {
  testOn({ dropRate: 0.05, duplicateRate: 0.1, delayMs: [0, 2] });
});

/** On a network with the same random numbers each time. */
function testOn(options: LossyNetworkOptions): void {
  const isGood = options.dropRate === undefined;
  const network = new LossyNetwork({ seed: 20_251_125, ...options });
  testCluster({
    test: it,
    createNode: (cluster: string, given: ClusterNodeOptions) =>
      new ClusterSessions(network.bus(cluster), {
        ...given,
        // What is lost is found by the next beat, and a test is not to wait long.
        ...isGood ? {} : { cluster: { ...given.cluster, heartbeatMs: 100 } },
      }),
    kill: killOn(network),
    // What the suite says of a bus holds for one that loses nothing only.
    ...isGood
      ? { createBus: (cluster: string) => network.bus(cluster) }
      // So does what it says of nodes that come and go: that may be lost as well.
      : { supports: { C6: false } },
  });
}
