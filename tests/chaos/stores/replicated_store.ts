import { RedisSessions } from "@crossmcp/session-manager/redis";
import type { ClusterNodeOptions } from "@crossmcp/session-manager/testing";
import type { MakeClient } from "../../redis/support/replicated_clients.ts";
import type { ReplicatedServers } from "../../redis/support/replicated_servers.ts";
import type { FaultName } from "../faults.ts";
import type { MadeNode, Store } from "./store.ts";

/** A Redis Cluster, or servers that Sentinel watches. */
export class ReplicatedStore implements Store {
  readonly faults: readonly FaultName[] = ["failover", "block"];
  readonly keepsEvents = true;
  readonly #servers: ReplicatedServers;
  readonly #clients: readonly MakeClient[];
  #hasFailedOver = false;

  /**
   * @param servers The servers, which end with it.
   * @param clients Makes the clients of libraries.
   */
  constructor(servers: ReplicatedServers, clients: readonly MakeClient[]) {
    this.#servers = servers;
    this.#clients = clients;
  }

  async join(options: ClusterNodeOptions, library: number): Promise<MadeNode> {
    const make = this.#clients[library % this.#clients.length]!;
    const { client, connect, end } = make(this.#servers.ports);
    await connect();
    return {
      sessions: new RedisSessions(client, options),
      link: undefined,
      disconnect: async () => void await end(),
    };
  }

  // deno-lint-ignore require-await
  async fail(fault: FaultName): Promise<() => Promise<void>> {
    if (fault !== "failover") {
      throw new Error(`Replicated servers have no fault "${fault}".`);
    }
    // There is one replica for each primary.
    if (this.#hasFailedOver) return async () => {};
    this.#hasFailedOver = true;
    const done = this.#servers.failOver("{mcp}:");
    done.catch(() => {});
    return () => done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]();
  }
}
