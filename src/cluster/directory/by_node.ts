/** Sessions by the nodes that they are on; those that are on none are left out. */
export function groupByNode(
  ids: Iterable<string>,
  nodeOf: (id: string) => string | undefined,
): ReadonlyMap<string, string[]> {
  const grouped = new Map<string, string[]>();
  for (const id of ids) {
    const node = nodeOf(id);
    if (node === undefined) continue;
    const there = grouped.get(node);
    if (there === undefined) grouped.set(node, [id]);
    else there.push(id);
  }
  return grouped;
}
