import { until } from "../e2e/support/until.ts";
import type { NodeOptions } from "./node_actions.ts";
import { PATIENCE_MS, type RemoteNode } from "./remote_node.ts";

/** The nodes of one test, each apart from the others, with a name that is its own. */
export class RemoteNodes<Node extends RemoteNode> {
  /** The name of the cluster. */
  readonly name: string = crypto.randomUUID();
  readonly #options: NodeOptions;
  readonly #make: () => Node;
  readonly #all: Node[] = [];

  /**
   * @param options Options of every node.
   * @param make Makes what a node is to be in.
   */
  constructor(options: NodeOptions, make: () => Node) {
    this.#options = options;
    this.#make = make;
  }

  /** What is no node yet. */
  spawn(make: () => Node = this.#make): Node {
    const node = make();
    this.#all.push(node);
    return node;
  }

  /** It becomes a node of the cluster. */
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

  /** Starts nodes that all know of each other. */
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

/** Waits until nodes know of each other, and of nobody else. */
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

/** Runs a test, and ends its nodes whatever becomes of it. */
export async function withNodes<Nodes extends { stop(): Promise<void> }>(
  nodes: Nodes,
  run: (nodes: Nodes) => Promise<void>,
): Promise<void> {
  try {
    await run(nodes);
  } catch (error) {
    // What the test found says more than what is left of it.
    await nodes.stop().catch(() => {});
    throw error;
  }
  await nodes.stop();
}
