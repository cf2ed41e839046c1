import {
  type ClusterSuiteOptions,
  testCluster,
} from "@crossmcp/session-manager/testing";
import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { brokenBuses } from "./broken/cluster_buses.ts";
import { brokenNodes, soundNodes } from "./broken/cluster_nodes.ts";
import { assertFailures, failures, type Pace } from "./failures.ts";

/** The behaviours that show that a bus is broken. */
const BUS_FAULTS: Record<string, string> = {
  "calls back while it is called": "C1",
  "cuts long texts": "C12",
  "delivers twice": "C1 C12 C14",
  "echoes": "C1 C14",
  "ends texts at NUL": "C12",
  "folds the case of names": "C14",
  "has one name": "C14",
  "hears on after its end": "C1",
  "knows no way to one": "C1 C14",
  "says nothing": "C1 C12 C14",
  "takes what it said with it": "C1",
  "tells all what is for one": "C1",
  "trims names": "C14",
};

/** The behaviours that show that nodes are broken; others may fail as well. */
const NODE_FAULTS: Record<string, string> = {
  "are alone": "C1 C3 C4 C11 C15",
  "are in one cluster": "C14",
  "choose their own names": "C6",
  "cut long texts": "C12",
  "delete nothing elsewhere": "C3 C4",
  "do not wait until others know of a stream": "C1 C12",
  "do not wait until others know of a write": "C4 C11",
  "end no subscription": "C15",
  "end the subscriptions of every origin": "C15",
  "forget a session that another node writes to": "C11",
  "keep levels to themselves": "C4 C11",
  "know of their own streams only": "C3 C4 C5",
  "leave without a word": "C6",
  "let sends overtake each other": "C2",
  "lose every fiftieth text": "C2 C10",
  "never give way": "C5",
  "notify twice": "C15",
  "remember everyone": "C16",
  "send twice": "C1 C2 C10",
  "take 1,000 ids": "C12",
  "take nobody for dead": "C6",
};

describe("the suite for clusters", () => {
  it("finds the fault of every broken bus", async () => {
    const { createNode } = soundNodes();
    await assertFailures(
      entries(brokenBuses),
      ([, createBuses], pace) =>
        failuresOf(
          { createNode, createBus: createBuses() },
          (name) => name.includes(" a bus "),
          pace,
        ),
      BUS_FAULTS,
    );
  });

  it("finds the fault of all broken nodes", async () => {
    await assertFailures(
      entries(brokenNodes),
      ([fault, createNodes], pace) => {
        const numbers = NODE_FAULTS[fault]?.split(" ") ?? [];
        return failuresOf(
          createNodes(),
          (name) => numbers.includes(name.split(" ", 1)[0]!),
          pace,
        );
      },
      NODE_FAULTS,
    );
  });

  it("leaves out what it has no means for, visibly if asked", () => {
    const { createNode } = soundNodes();
    const tested = new Set<string>();
    const skipped = new Set<string>();
    const note = (numbers: Set<string>) => (name: string) =>
      void numbers.add(name.split(" ", 1)[0]!);
    testCluster({
      test: note(tested),
      skip: note(skipped),
      createNode,
      supports: { C15: false },
    });
    assertEquals(
      [...tested].join(" "),
      "C14 C1 C2 C8 C10 C12 C3 C4 C5 C9 C16 C11 C6",
    );
    // For some of C1, C6, C12 and C14 it takes a bus, or nodes that die.
    assertEquals([...skipped].join(" "), "C1 C12 C13 C14 C6 C15");
  });
});

type Factory = Pick<ClusterSuiteOptions, "createNode" | "createBus" | "kill">;

/** What fails, among the tests with certain names. */
function failuresOf(
  factory: Factory,
  isChosen: (name: string) => boolean,
  pace: Pace,
): Promise<string[]> {
  type Given = Pick<ClusterSuiteOptions, "test" | "timeoutMs">;
  const suite = ({ test, timeoutMs }: Given) =>
    testCluster({
      ...factory,
      timeoutMs,
      test: (name, run) => {
        if (isChosen(name)) test(name, run);
      },
    });
  return failures(suite, () => {}, 1_000, 1, pace);
}

/** Each value with its name. */
function entries<Value>(
  record: Readonly<Record<string, Value>>,
): Record<string, [name: string, value: Value]> {
  return Object.fromEntries(
    Object.entries(record).map((entry) => [entry[0], entry]),
  );
}
