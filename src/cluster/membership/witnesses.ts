import { hash } from "../../runtime/hash.ts";

/** How many witnesses a session has, at most. */
export const MAX_WITNESSES = 8;

/**
 * The witnesses of a session: the nodes that confirm what is written about it,
 * and that are asked by nodes that do not know it. All nodes choose the same
 * ones, by rendezvous hashing: a node that joins or leaves changes as few of
 * them as possible. In a small cluster, all nodes are witnesses.
 *
 * @param key The session ID.
 * @param nodes The nodes to choose from.
 */
export function witnessesOf(key: string, nodes: readonly string[]): string[] {
  if (nodes.length <= MAX_WITNESSES) return [...nodes];
  const keyHash = hash(key);
  return nodes.map((name) => [rank(name, keyHash), name] as const)
    .sort(([rank], [other]) => other - rank)
    .slice(0, MAX_WITNESSES)
    .map(([, name]) => name);
}

/**
 * Returns the one node that decides about a key.
 *
 * @param key The key.
 * @param nodes The nodes to choose from, at least one.
 */
export function deciderOf(key: string, nodes: readonly string[]): string {
  const keyHash = hash(key);
  let decider = nodes[0]!;
  for (const name of nodes) {
    const difference = rank(name, keyHash) - rank(decider, keyHash);
    if (difference > 0 || difference === 0 && name > decider) decider = name;
  }
  return decider;
}

/** Mixes the hashes of a node and a key (the finalizer of MurmurHash3). */
function rank(node: string, keyHash: number): number {
  let mixed = hash(node) ^ Math.imul(keyHash, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
