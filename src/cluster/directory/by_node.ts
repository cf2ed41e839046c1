/** Groups sessions or other items by their node; those without one are omitted. */
export function groupByNode<Item>(
  items: Iterable<Item>,
  nodeOf: (item: Item) => string | undefined,
): ReadonlyMap<string, Item[]> {
  const grouped = new Map<string, Item[]>();
  for (const item of items) {
    const node = nodeOf(item);
    if (node === undefined) continue;
    const ofNode = grouped.get(node);
    if (ofNode === undefined) grouped.set(node, [item]);
    else ofNode.push(item);
  }
  return grouped;
}
