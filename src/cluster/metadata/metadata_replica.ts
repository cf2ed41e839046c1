import {
  type IdleTracked,
  type RecordLimits,
  SessionRecords,
} from "../../metadata/session_records.ts";
import type { SessionEndReason } from "../../contracts/options.ts";
import type { SessionRegistration } from "../../contracts/guarding.ts";
import { ResourceSubscriptions } from "../../metadata/resource_subscriptions.ts";
import type { Timestamp } from "../membership/hybrid_clock.ts";
import { AntiEntropy } from "./anti_entropy.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import type { ClusterMessage, FieldWrite } from "../messaging/protocol.ts";
import { isFieldWrite } from "../messaging/protocol_items.ts";
import {
  PRINCIPAL,
  principalField,
  principalOf,
  RegisteredSessions,
  type Removal,
} from "./registered_sessions.ts";
import { SessionUse } from "./session_use.ts";
import { SUBSCRIPTION, uriOf, writesOf } from "./replica_fields.ts";
import { type Fields, LwwRecords } from "./replicated_records.ts";

/** The metadata of a session. */
export interface ReplicaRecord extends IdleTracked {
  readonly fields: Fields;
  /** The newest event of this node when it learned of the session. */
  readonly startEventId: string | undefined;
}

/** What a {@linkcode MetadataReplica} needs. */
export interface ReplicaOptions extends RecordLimits {
  /** Returns the newest event of this node. */
  readonly latestEventId: () => string | undefined;
  /** Called with every session whose metadata was removed. */
  readonly onDelete: (id: string) => void;
}

/**
 * The metadata of all sessions, replicated on every node. A node that joins, or
 * whose digest differs for a while, requests what it lacks.
 */
export class MetadataReplica {
  readonly #node: ClusterNode;
  readonly #options: ReplicaOptions;
  readonly #records: SessionRecords<ReplicaRecord>;
  readonly #lww: LwwRecords;
  /** Who subscribed to which resource. */
  readonly subscribed: ResourceSubscriptions = new ResourceSubscriptions();
  /** The sessions that began through the guard. */
  readonly registered: RegisteredSessions;
  #expired = 0;

  constructor(node: ClusterNode, options: ReplicaOptions) {
    this.#node = node;
    this.#options = options;
    this.registered = new RegisteredSessions(node, options);
    this.#lww = new LwwRecords(node.scheduler);
    this.#records = new SessionRecords(options, {
      newRecord: (lastUsedAt) => ({
        fields: new Map(),
        startEventId: options.latestEventId(),
        lastUsedAt,
      }),
      onExpire: (id, record) => this.#expire(id, record),
      onError: (error) => node.report(error),
      remoteLastUsed: (ids) => use.lastUsed(ids),
      graceMs: (id) => use.graceMs(id),
    }, node.scheduler);
    const { idleTimeoutMs } = options;
    const use = new SessionUse(node, () => this.#records, idleTimeoutMs);
    this.#listen();
  }

  /** How many sessions expired. */
  get expired(): number {
    return this.#expired;
  }

  /** Returns the metadata of a session, and marks it as used. */
  touch(id: string): ReplicaRecord | undefined {
    return this.#records.touch(id);
  }

  /** Returns the metadata of a session. */
  get(id: string): ReplicaRecord | undefined {
    return this.#records.get(id);
  }

  /** Returns a field of a session, and marks it as used. */
  field(id: string, field: string): string | undefined {
    return this.#records.touch(id)?.fields.get(field)?.[0];
  }

  /** Returns the registration of a session. */
  registration(id: string): SessionRegistration | undefined {
    const record = this.#records.get(id);
    const field = record?.fields.get(PRINCIPAL);
    if (field === undefined) return undefined;
    const principal = principalOf(field);
    return { principal, startEventId: record?.startEventId };
  }

  /**
   * Registers a session.
   *
   * @throws {SessionLimitError} If `maxSessions` is reached.
   * @throws {LimitError} If its principal has too many, as far as known here.
   */
  register(id: string, principal: string | undefined): void {
    this.registered.assertCapacity(principal);
    this.write(id, PRINCIPAL, principalField(principal));
    this.registered.events.begun(id, principal);
  }

  /**
   * Writes a field of a session.
   *
   * @throws {SessionLimitError} If `maxSessions` is reached.
   */
  write(id: string, field: string, value: string | null): void {
    const exists = this.#records.get(id)?.fields.has(field);
    if (value === null && !exists) return;
    const { fields } = this.#records.getOrCreate(id);
    const write: FieldWrite = [field, value, this.#node.clock.next()];
    this.#store(id, fields, write);
    this.#node.broadcast({ kind: "metadata", id, fields: [write] });
    this.#deleteIfEmpty(id);
  }

  /** Subscribes a session to a resource, within its limit. */
  subscribe(id: string, uri: string): void {
    const { maxSubscriptionsPerSession } = this.#options;
    this.subscribed.assertCapacity(id, uri, maxSubscriptionsPerSession);
    this.write(id, SUBSCRIPTION + uri, "");
  }

  /** Ends a subscription to a resource. */
  unsubscribe(id: string, uri: string): void {
    this.#records.touch(id);
    this.write(id, SUBSCRIPTION + uri, null);
  }

  /**
   * Deletes the metadata of a session; returns whether it had begun through the
   * guard.
   */
  delete(id: string, reason: SessionEndReason): boolean {
    const deleted = this.#node.clock.next();
    const wasThere = this.#remove(id, deleted, { reason });
    this.#node.broadcast({ kind: "metadata", id, fields: [], deleted, reason });
    return wasThere;
  }

  /** Returns whether a session was deleted recently, as far as known here. */
  wasDeleted(id: string): boolean {
    return this.#lww.deletedAt(id) !== undefined;
  }

  /** Requests a session that is unknown here from its witnesses. */
  async fetch(id: string): Promise<void> {
    if (this.wasDeleted(id)) return;
    const request = { kind: "metadata", id } as const;
    const responses = await this.#node.request(request, { session: id });
    for (const fields of responses.values()) {
      if (Array.isArray(fields) && fields.every(isFieldWrite)) {
        this.#merge({ kind: "metadata", id, fields }, undefined);
      }
    }
  }

  /** Removes everything on this node. */
  clear(): void {
    this.#records.clear();
    this.subscribed.clear();
    this.registered.clear();
    this.#lww.clear();
  }

  #listen(): void {
    const node = this.#node;
    node.handle("metadata", (message, from) => this.#merge(message, from));
    node.handle(
      "requestDiff",
      ({ digests }, from) => this.#publish(from, digests),
    );
    node.respond(
      "metadata",
      ({ id }) => writesOf(this.#records.get(id)?.fields ?? new Map()),
    );
    new AntiEntropy(
      node,
      "records",
      () => this.#lww.digest,
      () => this.#lww.bucketDigests,
    );
  }

  #merge(
    { id, fields, deleted, age, reason = "deleted" }: Extract<
      ClusterMessage,
      { kind: "metadata" }
    >,
    from: string | undefined,
  ): void {
    if (deleted !== undefined) {
      this.#node.clock.observe(deleted);
      this.#remove(id, deleted, { reason, isRemote: true });
    }
    if (fields.length === 0) return;
    const isUse = age === undefined;
    const record = isUse ? this.#records.touch(id) : this.#records.get(id);
    const known = record?.fields;
    const merged: Fields = known ?? new Map();
    for (const write of fields) {
      this.#node.clock.observe(write[2]);
      if (!this.#store(id, merged, write)) this.#contradict(id, write, from);
    }
    if (known === undefined && merged.size > 0) {
      const added = this.#records.insert(id, age);
      for (const [field, value] of merged) added.fields.set(field, value);
    }
    this.#deleteIfEmpty(id);
  }

  /** Informs a node of a deletion that it has missed. */
  #contradict(id: string, write: FieldWrite, from: string | undefined): void {
    const contradiction = this.#lww.newerTombstone(id, write);
    if (contradiction === undefined || from === undefined) return;
    const message = "deleted" in contradiction
      ? { fields: [], ...contradiction }
      : { fields: [contradiction.removed] };
    this.#node.send(from, { kind: "metadata", id, ...message });
  }

  #store(id: string, fields: Fields, write: FieldWrite): boolean {
    const [field, value] = write;
    const known = fields.get(field);
    if (!this.#lww.write(id, fields, write)) return false;
    if (field === PRINCIPAL) this.registered.onWrite(id, known, value);
    const uri = uriOf(field);
    if (uri === undefined) return true;
    if (value === null) this.subscribed.remove(id, uri);
    else this.subscribed.add(id, uri);
    return true;
  }

  #remove(id: string, deleted: Timestamp, removal: Removal): boolean {
    const fields: Fields = this.#records.get(id)?.fields ?? new Map();
    const known = fields.get(PRINCIPAL);
    let isRemoved = false;
    for (const field of this.#lww.delete(id, fields, deleted)) {
      isRemoved ||= field === PRINCIPAL;
      const uri = uriOf(field);
      if (uri !== undefined) this.subscribed.remove(id, uri);
    }
    this.#deleteIfEmpty(id);
    const field = isRemoved ? known : undefined;
    return this.registered.onRemove(id, field, removal);
  }

  /** Removes a session without fields. */
  #deleteIfEmpty(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined || record.fields.size > 0) return;
    this.#records.delete(id);
    this.#options.onDelete(id);
  }

  #expire(id: string, { fields }: ReplicaRecord): void {
    this.#lww.forget(id, fields);
    this.subscribed.removeSession(id);
    this.#expired++;
    this.delete(id, "expired");
    this.#options.onDelete(id);
    const known = fields.get(PRINCIPAL);
    this.registered.onRemove(id, known, { reason: "expired" });
  }

  /** Sends a node the records of the buckets whose digests differ. */
  #publish(node: string, digests: readonly number[]): void {
    const ownDigests = this.#lww.bucketDigests;
    const now = this.#node.scheduler.now();
    for (const [id, { fields, lastUsedAt }] of this.#records.entries()) {
      const bucket = this.#lww.bucketOf(id);
      if (digests[bucket] === ownDigests[bucket]) continue;
      const age = now - lastUsedAt;
      const writes = writesOf(fields);
      this.#node.send(node, { kind: "metadata", id, fields: writes, age });
    }
    this.#node.send(node, { kind: "diffDone" });
  }
}
