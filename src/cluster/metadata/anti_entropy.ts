import type { ClusterNode } from "../membership/cluster_node.ts";

/** How many times in a row digests must differ before two nodes compare. */
const MAX_MISMATCHES = 3;
/** The digest of a node without data: there is nothing to get from it. */
const EMPTY = 0;

/**
 * Decides when this node compares its data with others: with each node that it
 * meets, unless it has the same digest by then, and with one whose digest
 * differs for a while. It compares with one node at a time, because the next one
 * has mostly the same data.
 */
export class AntiEntropy {
  readonly #node: ClusterNode;
  readonly #digest: () => number;
  readonly #bucketDigests: () => readonly number[];
  readonly #mismatches: Map<string, number> = new Map();
  /** Nodes that it has met, with their digests at that time. */
  readonly #met: Map<string, number> = new Map();
  #current: string | undefined;

  /**
   * @param node This node.
   * @param name The name of the digest.
   * @param digest Returns the digest of all data; 0 without data.
   * @param bucketDigests Returns the digest of each bucket.
   */
  constructor(
    node: ClusterNode,
    name: string,
    digest: () => number,
    bucketDigests: () => readonly number[],
  ) {
    this.#node = node;
    this.#digest = digest;
    this.#bucketDigests = bucketDigests;
    node.handle("diffDone", (_, from) => this.#finish(from));
    node.listen({
      onPeerSynced: (other, digests) => {
        this.#met.set(other, digests[name] ?? EMPTY);
        this.#begin();
      },
      onPeerDown: (other) => {
        this.#met.delete(other);
        this.#mismatches.delete(other);
        this.#finish(other);
      },
      isReady: () => this.#current === undefined,
      digest: () => [name, digest()],
      onDigest: (other, digests) =>
        this.#onDigest(other, digests[name] ?? EMPTY),
    });
  }

  #onDigest(other: string, digest: number): void {
    const isSame = digest === this.#digest();
    const mismatches = isSame ? 0 : (this.#mismatches.get(other) ?? 0) + 1;
    this.#mismatches.set(other, mismatches);
    if (mismatches < MAX_MISMATCHES) return;
    // It does not respond: it has forgotten the request.
    if (this.#current === other) this.#current = undefined;
    if (this.#current === undefined) this.#compare(other);
  }

  /** Compares with the next node that it has met, if their data differs. */
  #begin(): void {
    if (this.#current !== undefined) return;
    for (const [other, digest] of this.#met) {
      this.#met.delete(other);
      if (digest === EMPTY || digest === this.#digest()) continue;
      return this.#compare(other);
    }
  }

  #compare(other: string): void {
    this.#current = other;
    // While writes are under way, digests differ from those of many nodes. One
    // comparison is enough for a while.
    this.#mismatches.clear();
    this.#node.send(other, {
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
