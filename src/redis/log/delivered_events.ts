import { LruMap } from "../../runtime/lru_map.ts";

/** Beyond this number, the least recently seen senders are forgotten. */
const MAX_SENDERS = 10_000;

/** The last events of a sender that were delivered: broadcast and targeted. */
interface LastDelivered {
  lastBroadcast: number;
  lastDirect: number;
}

/**
 * Which events a node has delivered, by sender and sequence number. Events that
 * are republished after a log was lost, and events that a node delivered itself
 * during an outage, are delivered once.
 */
export class DeliveredEvents {
  readonly #nodeKeyId: string;
  readonly #own: LastDelivered = { lastBroadcast: 0, lastDirect: 0 };
  readonly #others: LruMap<string, LastDelivered> = new LruMap(MAX_SENDERS);
  /** The last of its own events that this node delivered without the log. */
  #local = 0;

  /** @param nodeKeyId This node's ID in the log. */
  constructor(nodeKeyId: string) {
    this.#nodeKeyId = nodeKeyId;
  }

  /** Records that this node delivered one of its own events without the log. */
  markLocal(seq: number): void {
    this.#local = Math.max(this.#local, seq);
  }

  /** Returns whether an event of this node was delivered here. */
  hasDelivered(isBroadcast: boolean, seq: number): boolean {
    const last = isBroadcast ? this.#own.lastBroadcast : this.#own.lastDirect;
    return seq <= Math.max(last, this.#local);
  }

  /** Records an event. Returns whether it was delivered before. */
  isDuplicate(
    sender: string,
    isBroadcast: boolean,
    seq: number,
    isRepublished: boolean,
  ): boolean {
    const isOwn = sender === this.#nodeKeyId;
    const last = isOwn ? this.#own : this.#of(sender);
    const known = isBroadcast ? last.lastBroadcast : last.lastDirect;
    if (isBroadcast) last.lastBroadcast = Math.max(known, seq);
    else last.lastDirect = Math.max(known, seq);
    return isRepublished && seq <= known || isOwn && seq <= this.#local;
  }

  #of(sender: string): LastDelivered {
    const last = this.#others.get(sender) ??
      { lastBroadcast: 0, lastDirect: 0 };
    this.#others.set(sender, last);
    return last;
  }
}
