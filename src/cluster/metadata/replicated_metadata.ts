import { ClusterError } from "../../errors.ts";
import type { SessionEndReason } from "../../contracts/options.ts";
import type { SessionEvents } from "../../metadata/session_events.ts";
import type { SessionRegistration } from "../../contracts/guarding.ts";
import type { MetadataReplica } from "./metadata_replica.ts";
import type {
  KnownCounts,
  MetadataField,
  MetadataStore,
  StoredSummary,
} from "../../metadata/metadata_store.ts";
import { describeFields } from "./replica_fields.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";

/**
 * Metadata that is replicated on each node. A session that is unknown here is
 * requested from the others.
 */
export class ReplicatedMetadataStore implements MetadataStore {
  readonly #node: ClusterNode;
  readonly #replica: MetadataReplica;

  /**
   * @param node This node.
   * @param replica Its copy.
   */
  constructor(node: ClusterNode, replica: MetadataReplica) {
    this.#node = node;
    this.#replica = replica;
  }

  get expired(): number {
    return this.#replica.expired;
  }

  get known(): KnownCounts {
    const { registered, subscribed } = this.#replica;
    return { sessions: registered.size, subscriptions: subscribed.size };
  }

  async read(id: string, field: MetadataField): Promise<string | undefined> {
    if (this.#replica.touch(id) === undefined) await this.#replica.fetch(id);
    return this.#replica.field(id, field);
  }

  async peek(id: string, field: MetadataField): Promise<string | undefined> {
    if (this.#replica.get(id) === undefined) await this.#replica.fetch(id);
    return this.#replica.get(id)?.fields.get(field)?.[0];
  }

  write(id: string, field: MetadataField, value: string | null): Promise<void> {
    this.#replica.write(id, field, value);
    return this.#flushed(id);
  }

  async sessionsSubscribedTo(uri: string): Promise<string[]> {
    await this.#node.ready;
    return this.#replica.subscribed.sessionsOf(uri);
  }

  subscriptionsOf(id: string): string[] {
    return this.#replica.subscribed.urisOf(id);
  }

  subscribe(id: string, uri: string): Promise<void> {
    this.#replica.subscribe(id, uri);
    return this.#flushed(id);
  }

  unsubscribe(id: string, uri: string): Promise<void> {
    this.#replica.unsubscribe(id, uri);
    return this.#flushed(id);
  }

  async register(
    id: string,
    { principal }: SessionRegistration,
  ): Promise<boolean> {
    const known = await this.#find(id);
    if (known !== undefined) return known.principal === principal;
    this.#replica.register(id, principal);
    await this.#flushed(id);
    return true;
  }

  async registration(id: string): Promise<SessionRegistration | undefined> {
    const known = await this.#find(id);
    const isUnclear = known === undefined && this.#node.isUnreachable &&
      this.#replica.get(id) === undefined && !this.#replica.wasDeleted(id);
    if (!isUnclear) return known;
    throw new ClusterError(
      `Nobody can tell whether the session "${id}" exists: this node does not ` +
        "know it, and cannot ask others while the message bus is down. Try " +
        "again later.",
    );
  }

  async *pages(principal?: string): AsyncGenerator<readonly string[]> {
    await this.#node.ready;
    yield* this.#replica.registered.pages(principal);
  }

  describe(ids: readonly string[]): (StoredSummary | undefined)[] {
    return ids.map((id) => {
      const record = this.#replica.get(id);
      return record && describeFields(record.fields, this.#ageOf(record));
    });
  }

  ageOf(id: string): number | undefined {
    const record = this.#replica.get(id);
    return record && this.#ageOf(record);
  }

  touch(id: string): void {
    this.#replica.touch(id);
  }

  get events(): SessionEvents {
    return this.#replica.registered.events;
  }

  async delete(id: string, reason: SessionEndReason): Promise<boolean> {
    const wasThere = this.#replica.delete(id, reason);
    // A session that was ended must not be served by any node.
    if (reason === "ended") await this.#node.flushed();
    else await this.#flushed(id);
    return wasThere;
  }

  close(): void {
    this.#replica.clear();
  }

  async #find(id: string): Promise<SessionRegistration | undefined> {
    if (this.#replica.get(id) === undefined) await this.#replica.fetch(id);
    return this.#replica.registration(id);
  }

  #flushed(id: string): Promise<void> {
    return this.#node.flushed(this.#node.witnessesOf(id));
  }

  #ageOf({ lastUsedAt }: { readonly lastUsedAt: number }): number {
    return this.#node.scheduler.now() - lastUsedAt;
  }
}
