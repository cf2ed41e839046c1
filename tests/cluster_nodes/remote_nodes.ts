import { until } from "../e2e/support/until.ts";
import type { NodeOptions } from "./node_actions.ts";
import { PATIENCE_MS, type RemoteNode } from "./remote_node.ts";

/**
 * The nodes of one test, in separate threads or processes, with a cluster name
 * of their own.
 */
export class RemoteNodes<Node extends RemoteNode> {
  /** The name of the cluster. */
  readonly name: string = crypto.randomUUID();
  readonly #options: NodeOptions;
  readonly #make: () => Node;
  readonly #all: Node[] = [];

  /**
   * @param options The options of each node.
   * @param make Creates the thread or process of a node.
   */
  constructor(options: NodeOptions, make: () => Node) {
    this.#options = options;
    this.#make = make;
  }

  /** Starts a thread or process that has not joined yet. */
  spawn(make: () => Node = this.#make): Node {
    const node = make();
    this.#all.push(node);
    return node;
  }

  /** Joins the cluster. */
  async join(
    node: Node,
    cluster: NodeOptions["cluster"] = {},
  ): Promise<Node> {
    await node.node.join(this.name, {
      ...this.#options,
      cluster: { ...this.#options.cluster, ...cluster },
    });
    return node;
  }

  /** Starts nodes that all know each other. */
  async start(count: number): Promise<Node[]> {
    const nodes = Array.from({ length: count }, () => this.spawn());
    await Promise.all(nodes.map((node) => this.join(node)));
    await meet(nodes);
    return nodes;
  }

  /** Ends all of them. */
  async stop(): Promise<void> {
    const ends = await Promise.allSettled(
      this.#all.map((node) => node.stop()),
    );
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }
}

/** Waits until nodes know each other, and no others. */
export async function meet(nodes: readonly RemoteNode[]): Promise<void> {
  await until(
    async () => {
      const known = await Promise.all(nodes.map(({ node }) => node.nodes()));
      return known.every(({ length }) => length === nodes.length);
    },
    `${nodes.length} nodes that know each other`,
    PATIENCE_MS,
  );
}

/** Runs a test, and ends its nodes whether it passes or fails. */
export async function withNodes<Nodes extends { stop(): Promise<void> }>(
  nodes: Nodes,
  run: (nodes: Nodes) => Promise<void>,
): Promise<void> {
  try {
    await run(nodes);
  } catch (error) {
    // The failure of the test says more than one of the cleanup.
    await nodes.stop().catch(() => {});
    throw error;
  }
  await nodes.stop();
}
