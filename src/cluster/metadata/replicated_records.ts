import type { PeriodicTask, Scheduler } from "../../runtime/scheduler.ts";
import { isNewer, type Timestamp } from "../membership/hybrid_clock.ts";
import { touch } from "../../runtime/lru_map.ts";
import { hash } from "../membership/hash.ts";
import type { FieldWrite } from "../messaging/protocol.ts";

/** A field of a record: its value, and who wrote it when. */
export type Field = readonly [value: string, at: Timestamp];

/** The fields of a session. */
export type Fields = Map<string, Field>;

/** What was deleted, and when this node heard of it. */
interface Tombstone {
  readonly at: Timestamp;
  readonly deletedAt: number;
}

/** How long deletions are remembered, in milliseconds. */
const TOMBSTONE_TTL_MS = 60_000;
/** How many sums there are; each is of the sessions whose id has a certain hash. */
const BUCKETS = 256;

/**
 * Decides between writes of several nodes: the newest one of a field wins, and
 * nothing survives a newer deletion. Whatever order writes come in, the same is left.
 */
export class LwwRecords implements PeriodicTask {
  readonly periodMs: number = 1_000;
  readonly #ticker: Scheduler;
  /** Deletions of sessions that older writes may still be on their way to. */
  readonly #deleted: Map<string, Tombstone> = new Map();
  /** The same of single fields. */
  readonly #removed: Map<string, Tombstone> = new Map();
  readonly #bucketDigests: number[] = new Array(BUCKETS).fill(0);

  /** @param ticker Runs the look at deletions. */
  constructor(ticker: Scheduler) {
    this.#ticker = ticker;
  }

  /** The sums of all fields that are there, to compare with those of others. */
  get bucketDigests(): readonly number[] {
    return this.#bucketDigests;
  }

  /** All sums in one. */
  get digest(): number {
    return this.#bucketDigests.reduce(
      (digest, sum) => (digest * 31 + sum) >>> 0,
      0,
    );
  }

  /** Which sum a session counts for. */
  bucketOf(id: string): number {
    return hash(id) % BUCKETS;
  }

  /**
   * Decides on a write.
   *
   * @param id The session.
   * @param fields What is there of it.
   * @param write The field, its value or `null` to remove it, and when.
   * @returns Whether it is the newest one, and was done.
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
      this.#note(this.#removed, keyOf(id, field), at);
    } else {
      const written: Field = [value, at];
      fields.set(field, written);
      this.#toggleDigest(id, field, written);
      this.#removed.delete(keyOf(id, field));
    }
    return true;
  }

  /** What a node has not heard of that makes such a write: a newer deletion. */
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

  /** When a session was deleted, if that is not long ago. */
  deletedAt(id: string): Timestamp | undefined {
    return this.#deleted.get(id)?.at;
  }

  /**
   * Deletes what is older.
   *
   * @returns The fields that are gone.
   */
  delete(id: string, fields: Fields, at: Timestamp): string[] {
    if (isNewer(at, this.#deleted.get(id)?.at)) {
      this.#note(this.#deleted, id, at);
    }
    const gone: string[] = [];
    for (const [field, known] of fields) {
      if (isNewer(known[1], at)) continue;
      this.#toggleDigest(id, field, known);
      fields.delete(field);
      gone.push(field);
    }
    return gone;
  }

  /** Takes the fields of a session out of the sums. */
  forget(id: string, fields: Fields): void {
    for (const [field, known] of fields) this.#toggleDigest(id, field, known);
  }

  /** Forgets deletions that no older write can be on its way to any more. */
  run(now: number): void {
    for (const deletions of [this.#deleted, this.#removed]) {
      for (const [key, { deletedAt }] of deletions) {
        if (deletedAt > now - TOMBSTONE_TTL_MS) break;
        deletions.delete(key);
      }
    }
    if (this.#deleted.size + this.#removed.size > 0) return;
    this.#ticker.stop(this);
  }

  /** Forgets everything. */
  clear(): void {
    this.#deleted.clear();
    this.#removed.clear();
    this.#ticker.stop(this);
    this.#bucketDigests.fill(0);
  }

  #note(deletions: Map<string, Tombstone>, key: string, at: Timestamp): void {
    touch(deletions, key, { at, deletedAt: this.#ticker.now() });
    this.#ticker.start(this);
  }

  /** Adds a field to the sums, or takes it out again. */
  #toggleDigest(id: string, field: string, [, [time, node]]: Field): void {
    const sum = this.bucketOf(id);
    const digest = hash(`${id} ${field} ${time} ${node}`);
    this.#bucketDigests[sum] = (this.#bucketDigests[sum]! ^ digest) >>> 0;
  }
}

function keyOf(id: string, field: string): string {
  // Session ids have no spaces.
  return `${id} ${field}`;
}
