import { isNewer, type Stamp } from "./clock.ts";
import { hash } from "./hash.ts";
import type { FieldWrite } from "./protocol.ts";

/** A field of a record: its value, `null` if it was removed, and who wrote it when. */
export type Field = readonly [value: string | null, at: Stamp];

/** The fields of a session. */
export type Fields = Map<string, Field>;

/** How many sums there are; each is of the sessions whose id has a certain hash. */
const SUMS = 256;

/**
 * Decides between writes of several nodes: the newest one of a field wins, and
 * nothing survives a newer deletion. Whatever order writes come in, the same is left.
 */
export class ReplicatedRecords {
  /** Deletions that older writes may still be on their way to. */
  readonly #deleted: Map<string, { at: Stamp; since: number }> = new Map();
  readonly #sums: number[] = new Array(SUMS).fill(0);

  /** The sums of all fields that are there, to compare with those of others. */
  get sums(): readonly number[] {
    return this.#sums;
  }

  /** All sums in one. */
  get digest(): number {
    return this.#sums.reduce((digest, sum) => (digest * 31 + sum) >>> 0, 0);
  }

  /** Which sum a session counts for. */
  sumOf(id: string): number {
    return hash(id) % SUMS;
  }

  /**
   * Decides on a write.
   *
   * @returns Whether it is the newest one, and was stored.
   */
  write(
    id: string,
    fields: Fields,
    [field, value, at]: FieldWrite,
  ): boolean {
    if (!isNewer(at, this.#deleted.get(id)?.at)) return false;
    const known = fields.get(field);
    if (!isNewer(at, known?.[1])) return false;
    if (known !== undefined) this.#count(id, field, known);
    const written: Field = [value, at];
    fields.set(field, written);
    this.#count(id, field, written);
    return true;
  }

  /** When a session was deleted, if that is not long ago. */
  deletedAt(id: string): Stamp | undefined {
    return this.#deleted.get(id)?.at;
  }

  /**
   * Deletes what is older.
   *
   * @returns The fields that are gone.
   */
  delete(id: string, fields: Fields, at: Stamp, now: number): string[] {
    if (isNewer(at, this.#deleted.get(id)?.at)) {
      this.#deleted.delete(id);
      this.#deleted.set(id, { at, since: now });
    }
    const gone: string[] = [];
    for (const [field, known] of fields) {
      if (isNewer(known[1], at)) continue;
      this.#count(id, field, known);
      fields.delete(field);
      gone.push(field);
    }
    return gone;
  }

  /** Takes the fields of a session out of the sums. */
  drop(id: string, fields: Fields): void {
    for (const [field, known] of fields) this.#count(id, field, known);
  }

  /** Forgets deletions that no older write can be on its way to any more. */
  forgetDeleted(until: number): void {
    for (const [id, { since }] of this.#deleted) {
      if (since > until) return;
      this.#deleted.delete(id);
    }
  }

  /** Whether there are deletions to forget. */
  get hasDeleted(): boolean {
    return this.#deleted.size > 0;
  }

  /** Forgets everything. */
  clear(): void {
    this.#deleted.clear();
    this.#sums.fill(0);
  }

  /** Adds a field to the sums, or takes it out again. */
  #count(id: string, field: string, [value, [time, node]]: Field): void {
    // One that was removed is forgotten sooner here than there.
    if (value === null) return;
    const sum = this.sumOf(id);
    const digest = hash(`${id} ${field} ${time} ${node}`);
    this.#sums[sum] = (this.#sums[sum]! ^ digest) >>> 0;
  }
}
