/**
 * Sets an entry and makes it the most recently used. Entries are ordered by
 * use, so the first one is the least recently used. Beyond `maxSize`, that one
 * is dropped.
 */
export function touch<Key, Value>(
  map: Map<Key, Value>,
  key: Key,
  value: Value,
  maxSize: number = Infinity,
): void {
  // `set` alone keeps the position of an existing entry.
  map.delete(key);
  map.set(key, value);
  if (map.size > maxSize) map.delete(map.keys().next().value!);
}
