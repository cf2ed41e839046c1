import { groupByNode } from "./by_node.ts";
import {
  type HybridLogicalClock,
  isNewer,
  type Timestamp,
} from "../membership/hybrid_clock.ts";
import { hash } from "../membership/hash.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import type { Ownership } from "../messaging/protocol.ts";
import type { OwnerInfo, SessionDirectory } from "./session_directory.ts";

/** How many owners go into one item. */
const CLAIMS_PER_MESSAGE = 1_000;
/** How many times in a row a digest has to differ before everything is fetched. */
const MAX_MISMATCHES = 2;

interface Entry {
  readonly at: Timestamp;
  readonly isDetached: boolean;
}

/**
 * A directory of which every node has a copy. Each tells the others which sessions
 * it has; the newer claim of a session wins everywhere.
 */
export class ReplicatedDirectory implements SessionDirectory {
  readonly isComplete: boolean = false;
  readonly #node: ClusterNode;
  readonly #clock: HybridLogicalClock;
  readonly #onClaimed: (id: string, wasHere: boolean) => void;
  readonly #owners: Map<string, Entry> = new Map();
  /** A digest of what each node is the home of. */
  readonly #digests: Map<string, number> = new Map();
  readonly #mismatches: Map<string, number> = new Map();
  /** Nodes that are taken for dead; what they are the home of is kept for a while. */
  readonly #down: Set<string> = new Set();
  /** What nodes that were asked for everything have not told again yet. */
  readonly #stale: Map<string, Set<string>> = new Map();

  /**
   * @param node Who tells the others.
   * @param onClaimed Told of sessions that another node has claimed.
   */
  constructor(
    node: ClusterNode,
    onClaimed: (id: string, wasHere: boolean) => void,
  ) {
    this.#node = node;
    this.#clock = node.clock;
    this.#onClaimed = onClaimed;
    node.handle("owners", ({ owners }, from) => {
      for (const [id, at, isParked] of owners) {
        this.#stale.get(from)?.delete(id);
        this.#receive(id, { at: [at[0], from], isDetached: isParked });
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
    // No news of its own: a claim that is on its way here is newer.
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
    };
  }

  groupByOwner(ids: Iterable<string>): ReadonlyMap<string, string[]> {
    return groupByNode(ids, (id) => {
      const node = this.#owners.get(id)?.at[1];
      return node === this.#node.name ? undefined : node;
    });
  }

  flushed(): Promise<void> {
    return this.#node.flushed();
  }

  #write(id: string, at: Timestamp, isParked: boolean): void {
    this.#set(id, { at, isDetached: isParked });
    this.#node.broadcast({ kind: "owners", owners: [[id, at, isParked]] });
  }

  #receive(id: string, entry: Entry): void {
    this.#clock.observe(entry.at);
    const known = this.#owners.get(id);
    const isSame = known?.at[0] === entry.at[0] && known.at[1] === entry.at[1];
    if (isSame ? !entry.isDetached : !isNewer(entry.at, known?.at)) return;
    const wasHere = this.isLocal(id);
    this.#set(id, entry);
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

  /** Adds an entry to the digest of its node, or takes it out again. */
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

  /** A node is about to tell everything: what is known holds until it has. */
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

  /** A node has told everything. */
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

  /** One that has lost a session may not know of it yet, so once is no reason. */
  #compare(node: string, digest: number): void {
    if (digest === (this.#digests.get(node) ?? 0)) {
      this.#mismatches.delete(node);
      return;
    }
    const doubts = (this.#mismatches.get(node) ?? 0) + 1;
    this.#mismatches.set(node, doubts);
    if (doubts < MAX_MISMATCHES) return;
    this.#mismatches.delete(node);
    this.#requestOwners(node);
  }
}
