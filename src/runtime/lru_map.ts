/** Sets an entry of a map whose entries are in the order in which they were set last. */
export function touch<Key, Value>(
  map: Map<Key, Value>,
  key: Key,
  value: Value,
): void {
  // Without this, one that is there already keeps its place.
  map.delete(key);
  map.set(key, value);
}
