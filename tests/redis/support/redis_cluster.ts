import { RedisSessions } from "@crossmcp/session-manager/redis";
import type { ClusterNodeOptions } from "@crossmcp/session-manager/testing";
import { PATIENCE_MS } from "../../cluster_nodes/remote_node.ts";
import { until } from "../../e2e/support/until.ts";
import { type ClientKind, type Clients, connect } from "./clients.ts";

/** Nodes in this process, each with connections of its own. */
export class RedisCluster implements AsyncDisposable {
  readonly prefix: string;
  /** What its nodes passed to `onError`. */
  readonly errors: Error[] = [];
  readonly #port: number;
  readonly #made: AsyncDisposable[] = [];

  /**
   * @param server The Redis server.
   * @param prefix The prefix of their keys.
   */
  constructor(
    { port }: { readonly port: number },
    prefix: string = crypto.randomUUID(),
  ) {
    this.#port = port;
    this.prefix = prefix;
  }

  /**
   * Creates the clients of a node, which end with the test.
   *
   * @param kind The kind of client.
   * @param port The port to connect to, if it is not the server's own.
   */
  async connect(
    kind?: ClientKind,
    port: number = this.#port,
  ): Promise<Clients> {
    const clients = await connect({ port }, kind);
    this.#made.unshift(clients);
    return clients;
  }

  /** Creates a node, and waits until it is ready. */
  async join(
    options: ClusterNodeOptions = {},
    kind?: ClientKind,
  ): Promise<RedisSessions> {
    return await this.joinWith(await this.connect(kind), options);
  }

  /** Creates a node from existing clients, and waits until it is ready. */
  async joinWith(
    clients: Pick<Clients, "publisher" | "subscriber">,
    options: ClusterNodeOptions = {},
  ): Promise<RedisSessions> {
    const sessions = new RedisSessions(clients, {
      ...options,
      // Nodes find each other sooner with short heartbeats.
      cluster: { heartbeatMs: 200, ...options.cluster },
      prefix: this.prefix,
      onError: (error) => void this.errors.push(error),
    });
    // It is closed before its clients are.
    this.#made.unshift(sessions);
    await sessions.ready;
    return sessions;
  }

  /** Creates a node that connects through a proxy, and waits until it is ready. */
  async joinThrough(
    { port }: { readonly port: number },
    options: ClusterNodeOptions = {},
  ): Promise<RedisSessions> {
    return await this.joinWith(await this.connect(undefined, port), options);
  }

  /** Creates nodes that know each other. */
  async joinAll(
    count: number,
    options?: ClusterNodeOptions,
  ): Promise<RedisSessions[]> {
    const nodes: RedisSessions[] = [];
    while (nodes.length < count) nodes.push(await this.join(options));
    await met(nodes);
    return nodes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const made of this.#made) await made[Symbol.asyncDispose]();
  }
}

/** Waits until nodes know each other, and no others. */
export async function met(nodes: readonly RedisSessions[]): Promise<void> {
  await until(
    () => nodes.every((node) => node.nodes().length === nodes.length),
    `${nodes.length} nodes that know each other`,
    PATIENCE_MS,
  );
}
