/**
 * Splits items into chunks of a maximum size, so that no command or turn takes
 * too long.
 */
export function inChunks<Item>(
  items: readonly Item[],
  size: number,
): Item[][] {
  const chunks: Item[][] = [];
  for (let at = 0; at < items.length; at += size) {
    chunks.push(items.slice(at, at + size));
  }
  return chunks;
}
