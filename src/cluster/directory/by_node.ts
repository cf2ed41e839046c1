/** Groups sessions by their node. Sessions without a node are omitted. */
export function groupByNode(
  ids: Iterable<string>,
  nodeOf: (id: string) => string | undefined,
): ReadonlyMap<string, string[]> {
  const grouped = new Map<string, string[]>();
  for (const id of ids) {
    const node = nodeOf(id);
    if (node === undefined) continue;
    const ofNode = grouped.get(node);
    if (ofNode === undefined) grouped.set(node, [id]);
    else ofNode.push(id);
  }
  return grouped;
}
