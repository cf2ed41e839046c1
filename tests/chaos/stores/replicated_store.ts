import type { ReplicatedServers } from "../../redis/support/replicated_servers.ts";
import type { FaultName } from "../faults.ts";
import type { Access, Store } from "./store.ts";

/** A Redis Cluster, or servers that Sentinel watches. */
export class ReplicatedStore implements Store {
  readonly name: "sentinel" | "cluster";
  readonly faults: readonly FaultName[] = ["failover", "block"];
  readonly keepsEvents = true;
  readonly #servers: ReplicatedServers;
  #hasFailedOver = false;

  /**
   * @param name Which of both.
   * @param servers The servers, which end with it.
   */
  constructor(name: "sentinel" | "cluster", servers: ReplicatedServers) {
    this.name = name;
    this.#servers = servers;
  }

  access(): Promise<Access> {
    return Promise.resolve({
      ports: this.#servers.ports,
      link: undefined,
      close: () => Promise.resolve(),
    });
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
