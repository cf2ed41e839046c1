import {
  type ClusterSuiteOptions,
  LossyNetwork,
  testCluster,
} from "@crossmcp/session-manager/testing";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { brokenBuses } from "./broken/cluster_buses.ts";
import { brokenNodes, soundNodes } from "./broken/cluster_nodes.ts";
import {
  assertFailures,
  failedBehaviours,
  type Pace,
} from "./failed_behaviours.ts";

/** Each faulty bus, and the behaviours that fail with it. */
const BUS_FAULTS: Record<string, string> = {
  "claims to be down": "C1",
  "close fails the second time": "C1",
  "close hangs before start": "C1",
  "delivers before publish returns": "C1",
  "delivers broadcasts to the sender": "C1 C14",
  "delivers every message twice": "C1 C8 C12 C14",
  "delivers targeted messages to everyone": "C1 C12",
  "drops every message": "C1 C8 C12 C14",
  "drops messages in flight on close": "C1",
  "drops messages of a burst": "C8",
  "drops targeted messages": "C1 C12 C14",
  "has an impossible limit": "C1",
  "has no room for long names at its maxLength": "C12",
  "ignores the case of cluster names": "C14",
  "ignores the cluster name": "C14",
  "keeps receiving after close": "C1",
  "refuses messages of its maxLength": "C12",
  "refuses unknown names": "C1",
  "shortens names to 200 characters": "C12",
  "start hangs if the bus is closed meanwhile": "C1",
  "trims cluster names": "C14",
  "truncates long messages": "C12",
  "truncates messages at NUL": "C12",
};

/**
 * Each kind of faulty nodes, and behaviours that fail with them. Only these
 * behaviours are tested; others may fail too.
 */
const NODE_FAULTS: Record<string, string> = {
  "close the subscriptions of every origin": "C15",
  "close without announcing it": "C6",
  "delete the other metadata of a session on a write": "C11",
  "deliver frames out of order": "C2",
  "do not share log levels": "C4 C11",
  "drop every 50th frame": "C2 C10",
  "end sessions before other nodes know": "O3",
  "ignore all session IDs after the first 1,000": "C12",
  "ignore the cluster name": "C14",
  "ignore the given node name": "C6",
  "keep the messages of clients to themselves": "P6 P7",
  "know only their own streams": "C3 C4 C5",
  "leave a replaced stream open": "C5",
  "list nodes that are gone": "C16",
  "list only their own streams": "O4",
  "never close a subscription": "C15",
  "never delete a session on another node": "C3 C4",
  "never detect a dead node": "C6",
  "never resume a request": "P4",
  "never tell clients to reconnect later": "H15",
  "never find each other": "C1 C3 C4 C11 C15",
  "notify every client twice": "O1 O2",
  "notify everyone instead of a principal": "O2",
  "report every end on all nodes": "O5",
  "resolve create before other nodes know the stream": "C1 C12",
  "resolve setLogLevel before other nodes know the level": "C4 C11",
  "send broadcasts of a view to everyone": "S19",
  "send every frame twice": "C1 C2 C10",
  "send every notification twice": "C15",
  "truncate long frames": "C12",
};

describe("the cluster suite", () => {
  it("finds the fault of every broken bus", async () => {
    const { createNode } = soundNodes();
    await assertFailures(
      withNames(brokenBuses),
      ([, createBuses], pace) =>
        chosenFailures(
          { createNode, createBus: createBuses() },
          (name) => name.includes(" a bus "),
          pace,
        ),
      BUS_FAULTS,
    );
  });

  it("finds the fault of all broken nodes", async () => {
    await assertFailures(
      withNames(brokenNodes),
      ([fault, createNodes], pace) => {
        const numbers = NODE_FAULTS[fault]?.split(" ") ?? [];
        return chosenFailures(
          createNodes(),
          (name) => numbers.includes(name.split(" ", 1)[0]!),
          pace,
        );
      },
      NODE_FAULTS,
    );
  });

  it("closes every bus, also if closing one fails or takes forever", async () => {
    const network = new LossyNetwork();
    const closed: number[] = [];
    let created = 0;
    const tests: (() => Promise<void>)[] = [];
    testCluster({
      test: (name, run) => {
        if (name.includes("a bus delivers a message")) tests.push(run);
      },
      timeoutMs: 200,
      createNode: soundNodes().createNode,
      createBus: (cluster) => {
        const bus = network.bus(cluster);
        const index = created++;
        return {
          start: (node, receive) => bus.start(node, receive),
          publish: (text, to) => bus.publish(text, to),
          close: () => {
            closed.push(index);
            if (index === 0) throw new Error("It failed.");
            return index === 1 ? new Promise(() => {}) : bus.close();
          },
        };
      },
    });
    assertEquals(tests.length, 1);
    await assertRejects(
      () => tests[0]!(),
      Error,
      '"close" must not throw or reject, but failed with: Error: It failed.',
    );
    assert(created > 2);
    assertEquals(closed, Array.from({ length: created }, (_, at) => at));
  });

  it("skips the tests whose options are missing", () => {
    const { createNode } = soundNodes();
    const tested = new Set<string>();
    const skipped = new Set<string>();
    const record = (numbers: Set<string>) => (name: string) =>
      void numbers.add(name.split(" ", 1)[0]!);
    testCluster({
      test: record(tested),
      skip: record(skipped),
      createNode,
      supports: { C15: false },
    });
    assertEquals(
      [...tested].join(" "),
      "C14 C1 C2 C8 C10 C12 C3 C4 C5 C9 C16 C11 C6 S19 H15 P4 P5 P6 P7 O1 O2 O5 O3 O4",
    );
    // Some tests of C1, C6, C8, C12, C14, P4 and P5 need createBus or kill.
    assertEquals([...skipped].join(" "), "C1 C8 C12 C14 C13 C6 C15 P4 P5");
  });
});

type Factory = Pick<ClusterSuiteOptions, "createNode" | "createBus" | "kill">;

/** Runs the chosen tests of the suite, and returns the behaviours that failed. */
function chosenFailures(
  factory: Factory,
  includes: (name: string) => boolean,
  pace: Pace,
): Promise<string[]> {
  type Given = Pick<ClusterSuiteOptions, "test" | "timeoutMs">;
  const suite = ({ test, timeoutMs }: Given) =>
    testCluster({
      ...factory,
      timeoutMs,
      test: (name, run) => {
        if (includes(name)) test(name, run);
      },
    });
  return failedBehaviours(suite, () => {}, 1_000, 1, pace);
}

/** Pairs each value with its name. */
function withNames<Value>(
  record: Readonly<Record<string, Value>>,
): Record<string, [name: string, value: Value]> {
  return Object.fromEntries(
    Object.entries(record).map((entry) => [entry[0], entry]),
  );
}
