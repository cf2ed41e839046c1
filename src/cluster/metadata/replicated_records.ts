import type { PeriodicTask, Scheduler } from "../../runtime/scheduler.ts";
import { isNewer, type Timestamp } from "../membership/hybrid_clock.ts";
import { touch } from "../../runtime/lru_map.ts";
import { type Slice, SlicedSweep } from "../../runtime/slice.ts";
import { hash } from "../../runtime/hash.ts";
import type { FieldWrite } from "../messaging/protocol.ts";

/** A field of a record, with its timestamp. */
export type Field = readonly [value: string, at: Timestamp];

/** The fields of a session. */
export type Fields = Map<string, Field>;

/** Remembers a deletion. */
interface Tombstone {
  readonly at: Timestamp;
  readonly deletedAt: number;
}

/** How long tombstones are kept, in milliseconds. */
const TOMBSTONE_TTL_MS = 60_000;
/** The number of buckets; a session belongs to one by the hash of its ID. */
const BUCKETS = 256;

/**
 * Resolves conflicts between the writes of several nodes: of each field the
 * newest write wins, and nothing survives a newer deletion. The result doesn't
 * depend on the order in which writes arrive.
 */
export class LwwRecords implements PeriodicTask {
  readonly periodMs: number = 1_000;
  readonly #scheduler: Scheduler;
  /** Tombstones of sessions: older writes may still arrive. */
  readonly #deleted: Map<string, Tombstone> = new Map();
  /** Tombstones of single fields. */
  readonly #removed: Map<string, Tombstone> = new Map();
  readonly #bucketDigests: number[] = new Array(BUCKETS).fill(0);
  readonly #sweep = new SlicedSweep((now, slice) => this.#trim(now, slice));

  /** @param scheduler Removes old tombstones. */
  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** A digest of each bucket's fields, to compare with those of other nodes. */
  get bucketDigests(): readonly number[] {
    return this.#bucketDigests;
  }

  /** A digest of all buckets. */
  get digest(): number {
    return this.#bucketDigests.reduce(
      (digest, bucket) => (digest * 31 + bucket) >>> 0,
      0,
    );
  }

  /** Returns the bucket of a session. */
  bucketOf(id: string): number {
    return hash(id) % BUCKETS;
  }

  /**
   * Applies a write, unless a newer one is known.
   *
   * @param id The session ID.
   * @param fields The known fields of the session; changed by the write.
   * @param write The field, its value (`null` to remove it), and its timestamp.
   * @returns Whether it was applied.
   */
  write(
    id: string,
    fields: Fields,
    [field, value, at]: FieldWrite,
  ): boolean {
    const known = fields.get(field);
    const isOld = this.newerTombstone(id, [field, value, at]) !== undefined ||
      !isNewer(at, known?.[1]);
    if (isOld) return false;
    if (known !== undefined) this.#toggleDigest(id, field, known);
    if (value === null) {
      fields.delete(field);
      this.#addTombstone(this.#removed, keyOf(id, field), at);
    } else {
      const written: Field = [value, at];
      fields.set(field, written);
      this.#toggleDigest(id, field, written);
      this.#removed.delete(keyOf(id, field));
    }
    return true;
  }

  /** Returns a newer deletion that the sender of a write has missed. */
  newerTombstone(
    id: string,
    [field, , at]: FieldWrite,
  ): { deleted: Timestamp } | { removed: FieldWrite } | undefined {
    const deleted = this.#deleted.get(id)?.at;
    if (deleted !== undefined && !isNewer(at, deleted)) return { deleted };
    const removed = this.#removed.get(keyOf(id, field))?.at;
    return removed !== undefined && !isNewer(at, removed)
      ? { removed: [field, null, removed] }
      : undefined;
  }

  /** Returns when a session was deleted, if that is remembered. */
  deletedAt(id: string): Timestamp | undefined {
    return this.#deleted.get(id)?.at;
  }

  /**
   * Deletes the fields that are older than a timestamp.
   *
   * @returns The names of the deleted fields.
   */
  delete(id: string, fields: Fields, at: Timestamp): string[] {
    if (isNewer(at, this.#deleted.get(id)?.at)) {
      this.#addTombstone(this.#deleted, id, at);
    }
    const deletedFields: string[] = [];
    for (const [field, known] of fields) {
      if (isNewer(known[1], at)) continue;
      this.#toggleDigest(id, field, known);
      fields.delete(field);
      deletedFields.push(field);
    }
    return deletedFields;
  }

  /** Removes the fields of a session from the digests. */
  forget(id: string, fields: Fields): void {
    for (const [field, known] of fields) this.#toggleDigest(id, field, known);
  }

  /** Removes old tombstones: no older writes can arrive any more. */
  run(now: number): void {
    this.#sweep.run(now);
  }

  #trim(now: number, slice: Slice): void {
    for (const deletions of [this.#deleted, this.#removed]) {
      for (const [key, { deletedAt }] of deletions) {
        if (deletedAt > now - TOMBSTONE_TTL_MS) break;
        if (slice.isOver()) return;
        deletions.delete(key);
      }
    }
    if (this.#deleted.size + this.#removed.size > 0) return;
    this.#scheduler.stop(this);
  }

  /** Removes everything. */
  clear(): void {
    this.#deleted.clear();
    this.#removed.clear();
    this.#scheduler.stop(this);
    this.#bucketDigests.fill(0);
  }

  #addTombstone(
    deletions: Map<string, Tombstone>,
    key: string,
    at: Timestamp,
  ): void {
    touch(deletions, key, { at, deletedAt: this.#scheduler.now() });
    this.#scheduler.start(this);
  }

  /** Adds a field to the digest of its bucket, or removes it. */
  #toggleDigest(id: string, field: string, [, [time, node]]: Field): void {
    const bucket = this.bucketOf(id);
    const digest = hash(`${id} ${field} ${time} ${node}`);
    this.#bucketDigests[bucket] = (this.#bucketDigests[bucket]! ^ digest) >>> 0;
  }
}

function keyOf(id: string, field: string): string {
  // Session IDs contain no spaces.
  return `${id} ${field}`;
}
