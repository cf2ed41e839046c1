import type { Registration } from "../../metadata/session_records.ts";
import type { InfoReplica } from "./metadata_replica.ts";
import type { InfoField, InfoStore } from "./metadata_store.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";

/** Metadata of which each node has a copy. A session unknown here is asked for. */
export class ReplicatedInfo implements InfoStore {
  readonly #node: ClusterNode;
  readonly #replica: InfoReplica;

  /**
   * @param node Knows the other nodes.
   * @param replica The copy of this one.
   */
  constructor(node: ClusterNode, replica: InfoReplica) {
    this.#node = node;
    this.#replica = replica;
  }

  get expired(): number {
    return this.#replica.expired;
  }

  async read(id: string, field: InfoField): Promise<string | undefined> {
    if (this.#replica.use(id) === undefined) await this.#replica.fetch(id);
    return this.#replica.field(id, field);
  }

  write(id: string, field: InfoField, value: string | null): Promise<void> {
    this.#replica.write(id, field, value);
    return this.#node.settled();
  }

  async subscribedTo(uri: string): Promise<string[]> {
    await this.#node.ready;
    return this.#replica.subscribedTo(uri);
  }

  subscribe(id: string, uri: string): Promise<void> {
    this.#replica.subscribe(id, uri);
    return this.#node.settled();
  }

  unsubscribe(id: string, uri: string): Promise<void> {
    this.#replica.unsubscribe(id, uri);
    return this.#node.settled();
  }

  async register(id: string, principal: string | undefined): Promise<boolean> {
    const known = await this.registration(id);
    if (known !== undefined) return known.principal === principal;
    this.#replica.register(id, principal);
    await this.#node.settled();
    return true;
  }

  async registration(id: string): Promise<Registration | undefined> {
    if (this.#replica.get(id) === undefined) await this.#replica.fetch(id);
    return this.#replica.registration(id);
  }

  touch(id: string): void {
    this.#replica.use(id);
  }

  delete(id: string): Promise<void> {
    this.#replica.delete(id);
    return this.#node.settled();
  }

  close(): void {
    this.#replica.clear();
  }
}
