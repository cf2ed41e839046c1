/** Items in lists of at most so many, for commands that are not to take too long. */
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
