import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import {
  type ClusterNodeOptions,
  LossyNetwork,
  type LossyNetworkOptions,
  testCluster,
} from "@crossmcp/session-manager/testing";
import { describe, it } from "node:test";
import { killOn } from "./support/kill.ts";

describe("ClusterSessions: a network that loses nothing", () => {
  testOn({});
});

describe("ClusterSessions: a network that loses every twentieth message", () => {
  testOn({ dropRate: 0.05, duplicateRate: 0.1, delayMs: [0, 2] });
});

describe("ClusterSessions: a network of short messages, some of them lost", () => {
  testOn({
    maxLength: 4_096,
    dropRate: 0.02,
    duplicateRate: 0.1,
    delayMs: [0, 2],
  });
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
        // Lost messages are noticed at the next heartbeat, and a test should
        // not wait long.
        ...isGood ? {} : { cluster: { ...given.cluster, heartbeatMs: 100 } },
      }),
    kill: killOn(network),
    // The suite's cases for a bus hold only for a bus that loses nothing.
    ...isGood
      ? { createBus: (cluster: string) => network.bus(cluster) }
      // So do its cases for nodes that join and leave: these messages may be
      // lost as well.
      : { supports: { C6: false } },
  });
}
