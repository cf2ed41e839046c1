/**
 * Sets an entry of a map, and makes it the last one. So entries are ordered by
 * use.
 */
export function touch<Key, Value>(
  map: Map<Key, Value>,
  key: Key,
  value: Value,
): void {
  // `set` alone keeps the position of an existing entry.
  map.delete(key);
  map.set(key, value);
}

interface Entry<Key, Value> {
  readonly key: Key;
  value: Value;
  older: Entry<Key, Value> | undefined;
  newer: Entry<Key, Value> | undefined;
}

/**
 * A map with a maximum size: beyond it, the entry that was set the longest ago
 * is dropped.
 *
 * The entries form a linked list. The first key of a `Map` would be the oldest
 * as well, but to find it takes as long as the map has had deletions, which is
 * many microseconds for a map that is always full.
 */
export class LruMap<Key, Value> {
  readonly #maxSize: number;
  readonly #entries: Map<Key, Entry<Key, Value>> = new Map();
  #oldest: Entry<Key, Value> | undefined;
  #newest: Entry<Key, Value> | undefined;

  /** @param maxSize The maximum number of entries. */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** Returns whether a key has a value. */
  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  /** Returns the value of a key. Does not count as use. */
  get(key: Key): Value | undefined {
    return this.#entries.get(key)?.value;
  }

  /**
   * Sets the value of a key.
   *
   * @returns The value that was dropped, if the map was full.
   */
  set(key: Key, value: Value): Value | undefined {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.value = value;
      if (known === this.#newest) return undefined;
      this.#unlink(known);
      this.#append(known);
      return undefined;
    }
    const entry = { key, value, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
    if (this.#entries.size <= this.#maxSize) return undefined;
    const dropped = this.#oldest!;
    this.delete(dropped.key);
    return dropped.value;
  }

  /** Removes a key; returns whether it had a value. */
  delete(key: Key): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#unlink(entry);
    return true;
  }

  /** Removes everything. */
  clear(): void {
    // A new table would be allocated, even for no entries.
    if (this.#entries.size === 0) return;
    this.#entries.clear();
    this.#oldest = this.#newest = undefined;
  }

  /** Iterates over keys and values, the oldest first. */
  *[Symbol.iterator](): IterableIterator<[Key, Value]> {
    let entry = this.#oldest;
    while (entry !== undefined) {
      yield [entry.key, entry.value];
      entry = entry.newer;
    }
  }

  /** Makes an entry the newest one. */
  #append(entry: Entry<Key, Value>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  /** Connects the neighbors of an entry with each other. */
  #unlink({ older, newer }: Entry<Key, Value>): void {
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}
