import { ok } from "node:assert/strict";
import type { MessageBus } from "../../cluster/messaging/message_bus.ts";
import type { ClusterBehaviour } from "../suites/behaviours.ts";
import type {
  ClusterFactory,
  ClusterNodeOptions,
  TestableClusterNode,
} from "./cluster_node.ts";
import type { Context } from "../suites/suite.ts";
import { TestEvents } from "./test_client.ts";

/** What one test of a cluster works with. */
export interface ClusterContext {
  /** The name of the cluster of this test. */
  readonly cluster: string;
  /** Makes a node, and waits until it knows the others. */
  readonly join: (
    options?: ClusterNodeOptions,
    cluster?: string,
  ) => Promise<TestableClusterNode>;
  /** Makes as many, one after the other. */
  readonly joinAll: (count: number) => Promise<TestableClusterNode[]>;
  /** Makes and starts a bus; closed when the test ends. */
  readonly bus: (
    node: string,
    receive?: (text: string) => void,
    cluster?: string,
  ) => Promise<MessageBus>;
  /** Lets a node die without a word. */
  readonly kill: (node: TestableClusterNode) => Promise<void>;
  readonly within: Context<unknown, unknown>["within"];
}

/** One test of the suite for clusters. */
export interface ClusterCase {
  readonly behaviour: ClusterBehaviour;
  readonly name: string;
  /** What the test needs of the factory besides nodes. */
  readonly needs?: "createBus" | "kill";
  readonly run: (context: ClusterContext) => Promise<void>;
}

/** A node, or a bus, that a test made. */
export type Made = TestableClusterNode | MessageBus;

/** What a test works with that makes its nodes by a factory. */
export function clusterContext(
  { createNode, createBus, kill }: ClusterFactory,
  { create, within }: Context<Made, () => Made | Promise<Made>>,
): ClusterContext {
  const own = `test ${crypto.randomUUID()}`;
  const join: ClusterContext["join"] = async (options = {}, cluster = own) => {
    const node = await create(() =>
      createNode(cluster, options)
    ) as TestableClusterNode;
    await within(node.ready, "ready");
    return node;
  };
  return {
    cluster: own,
    within,
    join,
    joinAll: async (count) => {
      const nodes: TestableClusterNode[] = [];
      while (nodes.length < count) nodes.push(await join());
      // On a bus that loses texts some of them may be ready before.
      await holds(
        within,
        () => nodes.every((node) => node.nodes().length === count),
        "all nodes to know each other",
      );
      return nodes;
    },
    bus: async (node, receive = () => {}, cluster = own) => {
      const bus = await create(() => createBus!(cluster)) as MessageBus;
      await within(bus.start(node, receive), "start");
      return bus;
    },
    kill: async (node) => void await kill!(node),
  };
}

/** Attaches a stream to a session, and answers its client's end. */
export async function attach(
  node: TestableClusterNode,
  id: string,
): Promise<TestEvents> {
  const { controller, events } = opened();
  await node.streams.create(id, controller);
  return events;
}

/** A stream: what a manager is given, and its client's end. */
export function opened(): {
  controller: ReadableStreamDefaultController;
  events: TestEvents;
} {
  let controller: ReadableStreamDefaultController | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
  });
  ok(controller);
  return { controller, events: new TestEvents(body) };
}

/** Does something on every node, one after the other. */
export async function eachNode<Result>(
  nodes: readonly TestableClusterNode[],
  act: (node: TestableClusterNode, at: number) => Result | Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [at, node] of nodes.entries()) results.push(await act(node, at));
  return results;
}

/** Waits until something holds, and fails when that takes longer than the time-out. */
export async function holds(
  within: ClusterContext["within"],
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  let isOver = false;
  const wait = async () => {
    while (!isOver && !await condition()) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  try {
    await within(wait(), what);
  } finally {
    isOver = true;
  }
}

/** The name of a node. */
export function nameOf(node: TestableClusterNode): string {
  const self = node.nodes().find(({ isSelf }) => isSelf);
  ok(self, "A node is not among its own nodes");
  return self.name;
}
