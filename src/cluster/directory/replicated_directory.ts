import { groupByNode } from "./by_node.ts";
import {
  type HybridLogicalClock,
  isNewer,
  type Timestamp,
} from "../membership/hybrid_clock.ts";
import { hash } from "../../runtime/hash.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import type { Ownership } from "../messaging/protocol.ts";
import type { OwnerInfo, SessionDirectory } from "./session_directory.ts";

/** How many claims are in one message. */
const CLAIMS_PER_MESSAGE = 1_000;
/**
 * How many times in a row a digest must differ before everything is requested.
 */
const MAX_MISMATCHES = 2;

interface Entry {
  readonly at: Timestamp;
  readonly isDetached: boolean;
  /** Whether this node was the owner before the current one. */
  readonly wasLocal?: boolean | undefined;
}

/**
 * A directory that every node has a copy of. Each node broadcasts its claims;
 * the newest claim of a session wins on all nodes.
 */
export class ReplicatedDirectory implements SessionDirectory {
  readonly isComplete: boolean = false;
  readonly #node: ClusterNode;
  readonly #clock: HybridLogicalClock;
  readonly #onClaimed: (id: string, wasHere: boolean) => void;
  readonly #owners: Map<string, Entry> = new Map();
  /** For each node, a digest of the sessions that it owns. */
  readonly #digests: Map<string, number> = new Map();
  readonly #mismatches: Map<string, number> = new Map();
  /** Nodes that are down. Their entries are kept for a while. */
  readonly #down: Set<string> = new Set();
  /**
   * Entries that a node has not confirmed again yet, while it sends all of its
   * claims.
   */
  readonly #stale: Map<string, Set<string>> = new Map();

  /**
   * @param node This node.
   * @param onClaimed Called with each session that another node claims.
   */
  constructor(
    node: ClusterNode,
    onClaimed: (id: string, wasHere: boolean) => void,
  ) {
    this.#node = node;
    this.#clock = node.clock;
    this.#onClaimed = onClaimed;
    node.handle("owners", ({ owners }, from) => {
      for (const [id, at, isDetached] of owners) {
        this.#stale.get(from)?.delete(id);
        this.#receive(id, { at: [at[0], from], isDetached });
      }
    });
    node.handle("released", ({ id, at }, from) => {
      const known = this.#owners.get(id);
      if (known?.at[1] !== from || known.at[0] > at[0]) return;
      this.#set(id, undefined);
    });
    node.handle("requestOwners", (_, from) => this.#sendAllClaims(from));
    node.handle("ownersDone", (_, from) => this.#sweep(from));
    node.listen({
      onPeerSubscribed: (name) => this.#sendAllClaims(name),
      onPeerJoining: (name) => this.#countMismatch(name),
      onPeerUp: (name, isBack) => {
        this.#down.delete(name);
        if (isBack) this.#requestOwners(name);
      },
      onPeerDown: (name, isForGood) => {
        if (isForGood) this.#forget(name);
        else this.#down.add(name);
      },
      digest: () => ["owners", this.#digests.get(node.name) ?? 0],
      onDigest: (name, { owners }) => this.#compare(name, owners ?? 0),
    });
  }

  claim(id: string): string | undefined {
    const known = this.#owners.get(id);
    this.#write(id, this.#clock.next(), false);
    return known === undefined || known.at[1] === this.#node.name
      ? undefined
      : known.at[1];
  }

  detach(id: string): void {
    const known = this.#owners.get(id);
    // Not a claim: a newer one may still be under way.
    if (known !== undefined && this.isLocal(id)) {
      this.#write(id, known.at, true);
    }
  }

  release(id: string): void {
    const known = this.#owners.get(id);
    if (known === undefined || !this.isLocal(id)) return;
    this.#set(id, undefined);
    this.#node.broadcast({ kind: "released", id, at: known.at });
  }

  isLocal(id: string): boolean {
    return this.#owners.get(id)?.at[1] === this.#node.name;
  }

  findOwner(id: string): OwnerInfo | undefined {
    const known = this.#owners.get(id);
    if (known === undefined) return undefined;
    const [, node] = known.at;
    return {
      node,
      isDetached: known.isDetached,
      isDown: this.#down.has(node),
      wasLocal: known.wasLocal,
    };
  }

  groupByOwner(ids: Iterable<string>): ReadonlyMap<string, string[]> {
    return groupByNode(ids, (id) => {
      const node = this.#owners.get(id)?.at[1];
      return node === this.#node.name ? undefined : node;
    });
  }

  flushed(id: string): Promise<void> {
    return this.#node.flushed(this.#node.witnessesOf(id));
  }

  #write(id: string, at: Timestamp, isDetached: boolean): void {
    this.#set(id, { at, isDetached });
    this.#node.broadcast({ kind: "owners", owners: [[id, at, isDetached]] });
  }

  #receive(id: string, entry: Entry): void {
    this.#clock.observe(entry.at);
    const known = this.#owners.get(id);
    const isSame = known?.at[0] === entry.at[0] && known.at[1] === entry.at[1];
    if (isSame ? !entry.isDetached : !isNewer(entry.at, known?.at)) return;
    const wasHere = this.isLocal(id);
    const isSameOwner = known?.at[1] === entry.at[1];
    const wasLocal = isSameOwner ? known.wasLocal : wasHere;
    this.#set(id, { ...entry, wasLocal });
    if (!entry.isDetached) this.#onClaimed(id, wasHere);
  }

  #set(id: string, entry: Entry | undefined): void {
    const known = this.#owners.get(id);
    if (known !== undefined) this.#digest(id, known);
    if (entry === undefined) this.#owners.delete(id);
    else {
      this.#owners.set(id, entry);
      this.#digest(id, entry);
    }
  }

  /** Adds an entry to the digest of its node, or removes it. */
  #digest(id: string, { at: [time, node], isDetached }: Entry): void {
    const digest = this.#digests.get(node) ?? 0;
    this.#digests.set(node, digest ^ hash(`${id} ${time} ${isDetached}`));
  }

  #forget(node: string): void {
    for (const [id, { at }] of this.#owners) {
      if (at[1] === node) this.#owners.delete(id);
    }
    this.#digests.delete(node);
    this.#mismatches.delete(node);
    this.#stale.delete(node);
    this.#down.delete(node);
  }

  /**
   * A node is about to send all of its claims: known ones are kept until it is
   * done.
   */
  #countMismatch(node: string): void {
    const stale = new Set<string>();
    for (const [id, { at }] of this.#owners) {
      if (at[1] === node) stale.add(id);
    }
    this.#stale.set(node, stale);
  }

  #requestOwners(node: string): void {
    this.#countMismatch(node);
    this.#node.send(node, { kind: "requestOwners" });
  }

  /** A node has sent all of its claims. */
  #sweep(node: string): void {
    for (const id of this.#stale.get(node) ?? []) {
      if (this.#owners.get(id)?.at[1] === node) this.#set(id, undefined);
    }
    this.#stale.delete(node);
  }

  #sendAllClaims(node: string): void {
    let owners: Ownership[] = [];
    for (const [id, { at, isDetached }] of this.#owners) {
      if (at[1] !== this.#node.name) continue;
      if (owners.push([id, at, isDetached]) < CLAIMS_PER_MESSAGE) continue;
      this.#node.send(node, { kind: "owners", owners });
      owners = [];
    }
    if (owners.length > 0) this.#node.send(node, { kind: "owners", owners });
    this.#node.send(node, { kind: "ownersDone" });
  }

  /**
   * Digests may differ for a moment while a claim is under way, so one mismatch
   * doesn't count.
   */
  #compare(node: string, digest: number): void {
    if (digest === (this.#digests.get(node) ?? 0)) {
      this.#mismatches.delete(node);
      return;
    }
    const mismatches = (this.#mismatches.get(node) ?? 0) + 1;
    this.#mismatches.set(node, mismatches);
    if (mismatches < MAX_MISMATCHES) return;
    this.#mismatches.delete(node);
    this.#requestOwners(node);
  }
}
