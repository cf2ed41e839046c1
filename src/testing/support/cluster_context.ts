import { ok } from "node:assert/strict";
import type { MessageBus } from "../../cluster/messaging/message_bus.ts";
import type { ClusterBehaviour } from "../suites/behaviours.ts";
import type { Context } from "../suites/suite.ts";
import type {
  ClusterFactory,
  ClusterNodeOptions,
  TestableClusterNode,
} from "./cluster_node.ts";
import { TestEvents } from "./test_client.ts";

/** What a test of a cluster works with. */
export interface ClusterContext
  extends Pick<Context<unknown, unknown>, "within" | "waitUntil"> {
  /** The name of the cluster of this test. */
  readonly cluster: string;
  /** Creates a node, and waits until it is ready. */
  readonly addNode: (
    options?: ClusterNodeOptions,
    cluster?: string,
  ) => Promise<TestableClusterNode>;
  /** Creates nodes one by one, and waits until each of them knows the others. */
  readonly addNodes: (
    count: number,
    options?: ClusterNodeOptions,
    cluster?: string,
  ) => Promise<TestableClusterNode[]>;
  /** Creates a bus without starting it; it is closed when the test ends. */
  readonly createBus: (cluster?: string) => Promise<MessageBus>;
  /** Creates and starts a bus; it is closed when the test ends. */
  readonly startBus: (
    node: string,
    receive?: (message: string) => void,
    cluster?: string,
  ) => Promise<MessageBus>;
  /** Makes a node crash: it sends and receives nothing from now on. */
  readonly kill: (node: TestableClusterNode) => Promise<void>;
}

/** One test of the suite for clusters. */
export interface ClusterCase {
  readonly behaviour: ClusterBehaviour;
  readonly name: string;
  /** The function of the {@linkcode ClusterFactory} that the test needs. */
  readonly requires?: "createBus" | "kill";
  readonly run: (context: ClusterContext) => Promise<void>;
}

/** What a test disposes of when it ends. */
export type NodeOrBus = TestableClusterNode | MessageBus;

/** The context of a test whose nodes come from a factory. */
export function clusterContext(
  { createNode, createBus, kill }: ClusterFactory,
  { create, within, waitUntil }: Context<
    NodeOrBus,
    () => NodeOrBus | Promise<NodeOrBus>
  >,
): ClusterContext {
  const ownCluster = `test ${crypto.randomUUID()}`;
  const addNode: ClusterContext["addNode"] = async (
    options = {},
    cluster = ownCluster,
  ) => {
    const node = await create(() =>
      createNode(cluster, options)
    ) as TestableClusterNode;
    await within(node.ready, "a node's ready to resolve");
    return node;
  };
  const addBus = async (cluster = ownCluster) =>
    await create(() => createBus!(cluster)) as MessageBus;
  return {
    cluster: ownCluster,
    within,
    waitUntil,
    addNode,
    addNodes: async (count, options, cluster) => {
      const nodes: TestableClusterNode[] = [];
      while (nodes.length < count) nodes.push(await addNode(options, cluster));
      // On a bus that loses messages, a node may be ready before it knows all.
      await waitUntil(
        () => nodes.every((node) => node.nodes().length === count),
        "all nodes to know each other",
      );
      return nodes;
    },
    createBus: addBus,
    startBus: async (node, receive = () => {}, cluster = ownCluster) => {
      const bus = await addBus(cluster);
      await within(bus.start(node, receive), "a bus to start");
      return bus;
    },
    kill: async (node) => void await kill!(node),
  };
}

/** Attaches a stream to a session; returns what its client reads. */
export async function attach(
  node: TestableClusterNode,
  id: string,
): Promise<TestEvents> {
  const { controller, events } = openStream();
  await node.streams.create(id, controller);
  return events;
}

/** Opens a stream: the end that a manager gets, and the end that a client reads. */
export function openStream(): {
  controller: ReadableStreamDefaultController;
  events: TestEvents;
} {
  let controller: ReadableStreamDefaultController | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (started) => void (controller = started),
  });
  ok(controller);
  return { controller, events: new TestEvents(body) };
}

/** Calls a function for each node, one after the other; returns the results. */
export async function forEachNode<Result>(
  nodes: readonly TestableClusterNode[],
  act: (node: TestableClusterNode, index: number) => Result | Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [index, node] of nodes.entries()) {
    results.push(await act(node, index));
  }
  return results;
}

/** The name of a node. */
export function nodeName(node: TestableClusterNode): string {
  const self = node.nodes().find(({ isSelf }) => isSelf);
  ok(self, "nodes() of a node doesn't contain the node itself");
  return self.name;
}
