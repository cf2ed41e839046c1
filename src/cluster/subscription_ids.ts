import { groupByNode } from "./directory/by_node.ts";
import type { ClusterNode } from "./membership/cluster_node.ts";
import { deciderOf } from "./membership/witnesses.ts";

/** The ID of a subscription and its origin. */
export type SubscriptionId = readonly [id: string | number, origin: string];

/** A subscription of this node, and the node that decides about its ID. */
interface Held {
  readonly subscription: SubscriptionId;
  decider: string;
}

/**
 * Keeps the IDs of subscriptions unique in the cluster. One node, chosen by a
 * hash of the ID, decides whether it is free, and knows which node has it, so
 * that nobody else is asked. If nodes join or leave, others decide about some
 * IDs, and get to know who has them.
 */
export class SubscriptionIds {
  readonly #node: ClusterNode;
  readonly #exists: (subscription: SubscriptionId) => boolean;
  /** The IDs that this node has. */
  readonly #held: Map<string, Held> = new Map();
  /** The IDs that this node decides about, and the nodes that have them. */
  readonly #holders: Map<string, string> = new Map();
  /** Those about which another node decides, since the last change of nodes. */
  #foreign: Set<string> = new Set();

  /**
   * @param node This node, which must not have started.
   * @param exists Returns whether this node has a subscription.
   */
  constructor(
    node: ClusterNode,
    exists: (subscription: SubscriptionId) => boolean,
  ) {
    this.#node = node;
    this.#exists = exists;
    node.respond(
      "reserve",
      ({ id, origin }, from) => this.#decide([id, origin], from),
    );
    node.respond("subscribed", ({ id, origin }) => this.#hasOwn([id, origin]));
    node.respond(
      "holder",
      ({ id, origin }) => this.#holders.get(keyOf([id, origin])) ?? null,
    );
    node.handle("reserved", ({ subscriptions }, from) => {
      for (const subscription of subscriptions) {
        this.#record(keyOf(subscription), from);
      }
    });
    node.handle("unreserved", ({ id, origin }, from) => {
      this.#free(keyOf([id, origin]), from);
    });
    node.listen({
      onPeerUp: (name) => this.#onPeerUp(name),
      onPeerDown: (name) => this.#onPeerDown(name),
    });
  }

  /**
   * Reserves an ID for this node.
   *
   * @returns `false` if a node has it.
   */
  async reserve(subscription: SubscriptionId): Promise<boolean> {
    const key = keyOf(subscription);
    if (this.#held.has(key)) return false;
    // The others see that it is about to be used.
    const held = { subscription, decider: this.#node.name };
    this.#held.set(key, held);
    await this.#node.ready;
    const decider = held.decider = this.#node.deciderOf(key);
    const isFree = decider === this.#node.name
      ? await this.#decide(subscription, decider)
      : await this.#ask(decider, subscription);
    if (!isFree) this.#held.delete(key);
    return isFree;
  }

  /** Frees an ID that this node has. */
  release(subscription: SubscriptionId): void {
    const key = keyOf(subscription);
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    const [id, origin] = subscription;
    const { name } = this.#node;
    if (held.decider === name) this.#free(key, name);
    else this.#node.send(held.decider, { kind: "unreserved", id, origin });
  }

  /** Returns the node that has an ID, if the node that decides knows it. */
  async findHolder(subscription: SubscriptionId): Promise<string | undefined> {
    await this.#node.ready;
    const key = keyOf(subscription);
    const decider = this.#node.deciderOf(key);
    if (decider === this.#node.name) return this.#holders.get(key);
    const [id, origin] = subscription;
    const responses = await this.#node.request({ kind: "holder", id, origin }, {
      nodes: [decider],
    });
    const holder = responses.get(decider);
    return typeof holder === "string" ? holder : undefined;
  }

  #hasOwn(subscription: SubscriptionId): boolean {
    return this.#held.has(keyOf(subscription)) || this.#exists(subscription);
  }

  /** Asks the node that decides. A node that does not respond has no say. */
  async #ask(decider: string, [id, origin]: SubscriptionId): Promise<boolean> {
    const request = { kind: "reserve", id, origin } as const;
    const responses = await this.#node.request(request, { nodes: [decider] });
    return responses.get(decider) !== false;
  }

  /** Decides whether a node may have an ID. */
  async #decide(subscription: SubscriptionId, node: string): Promise<boolean> {
    const key = keyOf(subscription);
    const holder = this.#holders.get(key);
    // Only the holder knows for sure: it may have freed the ID just now.
    if (
      holder !== undefined && holder !== node &&
      await this.#isHeldBy(holder, subscription)
    ) return false;
    const current = this.#holders.get(key);
    // Another node was faster meanwhile.
    if (current !== undefined && current !== holder) return false;
    this.#holders.set(key, node);
    return true;
  }

  #isHeldBy(
    holder: string,
    subscription: SubscriptionId,
  ): boolean | Promise<boolean> {
    if (holder === this.#node.name) return this.#hasOwn(subscription);
    const [id, origin] = subscription;
    return this.#node.requestAny({ kind: "subscribed", id, origin }, {
      nodes: [holder],
    });
  }

  #record(key: string, node: string): void {
    if (!this.#holders.has(key)) this.#holders.set(key, node);
  }

  #free(key: string, node: string): void {
    if (this.#holders.get(key) === node) this.#holders.delete(key);
  }

  /** A node joins: from now on, it decides about some IDs. */
  #onPeerUp(peer: string): void {
    this.#dropForeign();
    const subscriptions: SubscriptionId[] = [];
    for (const [key, held] of this.#held) {
      const decider = deciderOf(key, [held.decider, peer]);
      if (decider !== peer) continue;
      held.decider = decider;
      subscriptions.push(held.subscription);
    }
    this.#inform(peer, subscriptions);
  }

  /** A node leaves: others decide about its IDs, and it has none. */
  #onPeerDown(peer: string): void {
    for (const [key, holder] of this.#holders) {
      if (holder === peer) this.#holders.delete(key);
    }
    this.#dropForeign();
    const orphans = [...this.#held].filter(([, { decider }]) =>
      decider === peer
    );
    for (const [key, held] of orphans) held.decider = this.#node.deciderOf(key);
    const byDecider = groupByNode(orphans, ([, { decider }]) => decider);
    for (const [decider, held] of byDecider) {
      this.#inform(decider, held.map(([, { subscription }]) => subscription));
    }
  }

  /**
   * Drops the IDs that this node no longer decides about. The others may not
   * have noticed yet, so they are kept until the next change.
   */
  #dropForeign(): void {
    const foreign = new Set<string>();
    for (const key of this.#holders.keys()) {
      if (this.#node.deciderOf(key) === this.#node.name) continue;
      if (this.#foreign.has(key)) this.#holders.delete(key);
      else foreign.add(key);
    }
    this.#foreign = foreign;
  }

  /** Informs a node of IDs that it decides about, and that this node has. */
  #inform(decider: string, subscriptions: readonly SubscriptionId[]): void {
    if (decider === this.#node.name) {
      for (const subscription of subscriptions) {
        this.#record(keyOf(subscription), decider);
      }
    } else if (subscriptions.length > 0) {
      this.#node.send(decider, { kind: "reserved", subscriptions });
    }
  }
}

function keyOf([id, origin]: SubscriptionId): string {
  return JSON.stringify([id, origin]);
}
