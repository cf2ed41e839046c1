import type { ClusterNode } from "../membership/cluster_node.ts";

/** How often in a row digests have to differ before two nodes compare. */
const MAX_MISMATCHES = 3;

/**
 * When this node compares what it has with other nodes: with one that it meets, and
 * with one that has something else for a while. One after the other, as what one
 * tells need not be told by the next.
 */
export class AntiEntropy {
  readonly #node: ClusterNode;
  readonly #bucketDigests: () => readonly number[];
  readonly #mismatches: Map<string, number> = new Map();
  readonly #next: Set<string> = new Set();
  #current: string | undefined;

  /**
   * @param node Knows the other nodes.
   * @param name Names the digest.
   * @param digest What this node has, in one number.
   * @param sums What it has, in many.
   */
  constructor(
    node: ClusterNode,
    name: string,
    digest: () => number,
    sums: () => readonly number[],
  ) {
    this.#node = node;
    this.#bucketDigests = sums;
    node.handle("diffDone", (_, from) => this.#finish(from));
    node.listen({
      onPeerUp: (other) => this.#compare(other),
      onPeerDown: (other) => {
        this.#next.delete(other);
        this.#mismatches.delete(other);
        this.#finish(other);
      },
      isReady: () => this.#current === undefined,
      digest: () => [name, digest()],
      onDigest: (other, digests) => {
        const isSame = (digests[name] ?? 0) === digest();
        const doubts = isSame ? 0 : (this.#mismatches.get(other) ?? 0) + 1;
        this.#mismatches.set(other, doubts % MAX_MISMATCHES);
        if (doubts < MAX_MISMATCHES) return;
        if (this.#current === other) this.#current = undefined;
        this.#compare(other);
      },
    });
  }

  #compare(other: string): void {
    this.#next.add(other);
    if (this.#current === undefined) this.#begin();
  }

  #begin(): void {
    const [next] = this.#next;
    if (next === undefined) return;
    this.#next.delete(next);
    this.#current = next;
    this.#node.send(next, {
      kind: "requestDiff",
      digests: this.#bucketDigests(),
    });
  }

  #finish(other: string): void {
    if (this.#current !== other) return;
    this.#current = undefined;
    this.#begin();
  }
}
