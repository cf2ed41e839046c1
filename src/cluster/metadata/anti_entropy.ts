import type { ClusterNode } from "../membership/cluster_node.ts";

/** How many times in a row digests must differ before two nodes compare. */
const MAX_MISMATCHES = 3;

/**
 * Decides when this node compares its data with others: with each node that it
 * meets, and with one whose digest differs for a while. It compares with one
 * node at a time, because the next one has mostly the same data.
 */
export class AntiEntropy {
  readonly #node: ClusterNode;
  readonly #bucketDigests: () => readonly number[];
  readonly #mismatches: Map<string, number> = new Map();
  readonly #next: Set<string> = new Set();
  #current: string | undefined;

  /**
   * @param node This node.
   * @param name The name of the digest.
   * @param digest Returns the digest of all data.
   * @param bucketDigests Returns the digest of each bucket.
   */
  constructor(
    node: ClusterNode,
    name: string,
    digest: () => number,
    bucketDigests: () => readonly number[],
  ) {
    this.#node = node;
    this.#bucketDigests = bucketDigests;
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
        const mismatches = isSame ? 0 : (this.#mismatches.get(other) ?? 0) + 1;
        this.#mismatches.set(other, mismatches % MAX_MISMATCHES);
        if (mismatches < MAX_MISMATCHES) return;
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
