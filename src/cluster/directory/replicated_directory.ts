import { byNode } from "./by_node.ts";
import { type Clock, isNewer, type Stamp } from "../membership/hybrid_clock.ts";
import { hash } from "../membership/hash.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import type { Home } from "../messaging/protocol.ts";
import type { Found, SessionDirectory } from "./session_directory.ts";

/** How many homes go into one item. */
const CHUNK = 1_000;
/** How many times in a row a digest has to differ before everything is fetched. */
const DOUBTS = 2;

interface Entry {
  readonly at: Stamp;
  readonly isParked: boolean;
}

/**
 * A directory of which every node has a copy. Each tells the others which sessions
 * it has; the newer claim of a session wins everywhere.
 */
export class GossipedDirectory implements SessionDirectory {
  readonly isComplete: boolean = false;
  readonly #node: ClusterNode;
  readonly #clock: Clock;
  readonly #onClaimed: (id: string, wasHere: boolean) => void;
  readonly #homes: Map<string, Entry> = new Map();
  /** A digest of what each node is the home of. */
  readonly #digests: Map<string, number> = new Map();
  readonly #doubts: Map<string, number> = new Map();
  /** Nodes that are taken for dead; what they are the home of is kept for a while. */
  readonly #silent: Set<string> = new Set();
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
    node.handle("homes", ({ homes }, from) => {
      for (const [id, at, isParked] of homes) {
        this.#stale.get(from)?.delete(id);
        this.#hear(id, { at: [at[0], from], isParked });
      }
    });
    node.handle("left", ({ id, at }, from) => {
      const known = this.#homes.get(id);
      if (known?.at[1] !== from || known.at[0] > at[0]) return;
      this.#set(id, undefined);
    });
    node.handle("rehome", (_, from) => this.#tellEverything(from));
    node.handle("rehomed", (_, from) => this.#sweep(from));
    node.listen({
      onReader: (name) => this.#tellEverything(name),
      onJoin: (name) => this.#doubt(name),
      onMeet: (name, isBack) => {
        this.#silent.delete(name);
        if (isBack) this.#askAgain(name);
      },
      onLeave: (name, isForGood) => {
        if (isForGood) this.#forget(name);
        else this.#silent.add(name);
      },
      digest: () => ["homes", this.#digests.get(node.name) ?? 0],
      onDigest: (name, { homes }) => this.#compare(name, homes ?? 0),
    });
  }

  claim(id: string): string | undefined {
    const known = this.#homes.get(id);
    this.#write(id, this.#clock.next(), false);
    return known === undefined || known.at[1] === this.#node.name
      ? undefined
      : known.at[1];
  }

  park(id: string): void {
    const known = this.#homes.get(id);
    // No news of its own: a claim that is on its way here is newer.
    if (known !== undefined && this.isHere(id)) this.#write(id, known.at, true);
  }

  release(id: string): void {
    const known = this.#homes.get(id);
    if (known === undefined || !this.isHere(id)) return;
    this.#set(id, undefined);
    this.#node.tellAll({ kind: "left", id, at: known.at });
  }

  isHere(id: string): boolean {
    return this.#homes.get(id)?.at[1] === this.#node.name;
  }

  find(id: string): Found | undefined {
    const known = this.#homes.get(id);
    if (known === undefined) return undefined;
    const [, node] = known.at;
    return {
      node,
      isParked: known.isParked,
      isSilent: this.#silent.has(node),
    };
  }

  locate(ids: Iterable<string>): ReadonlyMap<string, string[]> {
    return byNode(ids, (id) => {
      const node = this.#homes.get(id)?.at[1];
      return node === this.#node.name ? undefined : node;
    });
  }

  settled(): Promise<void> {
    return this.#node.settled();
  }

  #write(id: string, at: Stamp, isParked: boolean): void {
    this.#set(id, { at, isParked });
    this.#node.tellAll({ kind: "homes", homes: [[id, at, isParked]] });
  }

  #hear(id: string, entry: Entry): void {
    this.#clock.saw(entry.at);
    const known = this.#homes.get(id);
    const isSame = known?.at[0] === entry.at[0] && known.at[1] === entry.at[1];
    if (isSame ? !entry.isParked : !isNewer(entry.at, known?.at)) return;
    const wasHere = this.isHere(id);
    this.#set(id, entry);
    if (!entry.isParked) this.#onClaimed(id, wasHere);
  }

  #set(id: string, entry: Entry | undefined): void {
    const known = this.#homes.get(id);
    if (known !== undefined) this.#digest(id, known);
    if (entry === undefined) this.#homes.delete(id);
    else {
      this.#homes.set(id, entry);
      this.#digest(id, entry);
    }
  }

  /** Adds an entry to the digest of its node, or takes it out again. */
  #digest(id: string, { at: [time, node], isParked }: Entry): void {
    const digest = this.#digests.get(node) ?? 0;
    this.#digests.set(node, digest ^ hash(`${id} ${time} ${isParked}`));
  }

  #forget(node: string): void {
    for (const [id, { at }] of this.#homes) {
      if (at[1] === node) this.#homes.delete(id);
    }
    this.#digests.delete(node);
    this.#doubts.delete(node);
    this.#stale.delete(node);
    this.#silent.delete(node);
  }

  /** A node is about to tell everything: what is known holds until it has. */
  #doubt(node: string): void {
    const stale = new Set<string>();
    for (const [id, { at }] of this.#homes) {
      if (at[1] === node) stale.add(id);
    }
    this.#stale.set(node, stale);
  }

  #askAgain(node: string): void {
    this.#doubt(node);
    this.#node.tell(node, { kind: "rehome" });
  }

  /** A node has told everything. */
  #sweep(node: string): void {
    for (const id of this.#stale.get(node) ?? []) {
      if (this.#homes.get(id)?.at[1] === node) this.#set(id, undefined);
    }
    this.#stale.delete(node);
  }

  #tellEverything(node: string): void {
    let homes: Home[] = [];
    for (const [id, { at, isParked }] of this.#homes) {
      if (at[1] !== this.#node.name) continue;
      if (homes.push([id, at, isParked]) < CHUNK) continue;
      this.#node.tell(node, { kind: "homes", homes });
      homes = [];
    }
    if (homes.length > 0) this.#node.tell(node, { kind: "homes", homes });
    this.#node.tell(node, { kind: "rehomed" });
  }

  /** One that has lost a session may not know of it yet, so once is no reason. */
  #compare(node: string, digest: number): void {
    if (digest === (this.#digests.get(node) ?? 0)) {
      this.#doubts.delete(node);
      return;
    }
    const doubts = (this.#doubts.get(node) ?? 0) + 1;
    this.#doubts.set(node, doubts);
    if (doubts < DOUBTS) return;
    this.#doubts.delete(node);
    this.#askAgain(node);
  }
}
