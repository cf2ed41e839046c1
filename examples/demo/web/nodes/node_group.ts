import type { NodeConfig, NodeReport } from "./node_config.ts";
import type { RunningNode, StartNode } from "./running_node.ts";

/** How long a node may take to answer the demo itself, in milliseconds. */
const TIMEOUT_MS = 2_000;

/** Whether a node accepts requests. */
export type NodeStatus = "starting" | "running" | "stopped";

/** One of the nodes, which may be killed and started again. */
export interface Node {
  readonly name: string;
  readonly status: NodeStatus;
  /** What runs now, or ran last. */
  readonly running: RunningNode | undefined;
  /** How many times it was started. */
  readonly starts: number;
}

/** The nodes behind the front. */
export class NodeGroup implements AsyncDisposable {
  readonly #start: StartNode;
  readonly #config: Omit<NodeConfig, "name">;
  readonly #nodes: Map<string, { -readonly [K in keyof Node]: Node[K] }>;
  #turn = 0;
  #isStopping = false;

  /**
   * Creates the group; no node runs yet.
   *
   * @param names The names of the nodes.
   * @param start Starts a node.
   * @param config What all of them are started with.
   */
  constructor(
    names: readonly string[],
    start: StartNode,
    config: Omit<NodeConfig, "name">,
  ) {
    this.#start = start;
    this.#config = config;
    this.#nodes = new Map(names.map((name) => [name, {
      name,
      status: "stopped",
      running: undefined,
      starts: 0,
    }]));
  }

  /** All nodes, whether they run or not. */
  get all(): readonly Node[] {
    return [...this.#nodes.values()];
  }

  /** Returns a node. */
  get(name: string): Node | undefined {
    return this.#nodes.get(name);
  }

  /** Returns the nodes that run, and begins with another one each time. */
  inTurn(): Node[] {
    const running = this.all.filter(({ status }) => status === "running");
    const first = this.#turn++ % Math.max(1, running.length);
    return [...running.slice(first), ...running.slice(0, first)];
  }

  /** Starts a node that does not run. */
  async start(name: string): Promise<void> {
    const node = this.#nodes.get(name);
    if (node?.status !== "stopped") return;
    node.status = "starting";
    try {
      const running = await this.#start({ ...this.#config, name });
      if (this.#isStopping) return running.kill();
      node.running = running;
      node.starts++;
      node.status = "running";
      void running.ended.then(() => {
        if (node.running === running) node.status = "stopped";
      });
    } catch (error) {
      node.status = "stopped";
      throw error;
    }
  }

  /** Kills a node. */
  async kill(name: string): Promise<void> {
    const node = this.#nodes.get(name);
    if (node?.status !== "running") return;
    node.status = "stopped";
    node.running!.kill();
    await node.running!.ended;
  }

  /** Asks a node for its report. */
  async report(node: Node): Promise<NodeReport> {
    return await (await this.#request(node, "report")).json();
  }

  /** Returns how many sessions the nodes know; none if no node answers. */
  async countSessions(): Promise<number> {
    for (const node of this.inTurn()) {
      try {
        return await (await this.#request(node, "sessions")).json();
      } catch {
        // It has just died.
      }
    }
    return 0;
  }

  /**
   * Makes a node send a notification. If that one dies meanwhile, another one
   * sends it again, so that clients may get it twice.
   *
   * @returns The name of the node; none if no node runs.
   */
  async notify(
    notification: { method: string; params: object },
    to?: { sessions: string[] },
  ): Promise<string | undefined> {
    const body = JSON.stringify({ notification, to });
    for (const node of this.inTurn()) {
      try {
        await (await this.#request(node, "notify", body)).body?.cancel();
        return node.name;
      } catch {
        // It has just died.
      }
    }
    return undefined;
  }

  /** Stops all nodes, and kills those that take too long. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    await Promise.all([...this.#nodes.values()].map(async (node) => {
      if (node.status === "stopped") return;
      node.status = "stopped";
      const { running } = node;
      const timer = setTimeout(() => running?.kill(), TIMEOUT_MS);
      running?.stop();
      await running?.ended;
      clearTimeout(timer);
    }));
  }

  async #request(node: Node, path: string, body?: string): Promise<Response> {
    const url = `http://127.0.0.1:${node.running!.port}/operator/${path}`;
    const response = await fetch(url, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${this.#config.token}` },
      body: body ?? null,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(await response.text());
    return response;
  }
}
