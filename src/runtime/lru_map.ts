/**
 * Sets an entry and makes it the most recently used. Entries are ordered by
 * use, so the first one is the least recently used.
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
