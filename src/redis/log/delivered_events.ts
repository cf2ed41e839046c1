/** How many senders are remembered. */
const MAX_SENDERS = 10_000;

/** The newest event of a sender for everyone, and for single sessions. */
interface LastDelivered {
  lastBroadcast: number;
  lastDirect: number;
}

/**
 * Which events a node has delivered, by sender and number: what is added again after
 * a log was lost, and what a node delivered itself while it could not be added, is
 * delivered once.
 */
export class DeliveredEvents {
  readonly #nodeKeyId: string;
  readonly #own: LastDelivered = { lastBroadcast: 0, lastDirect: 0 };
  readonly #others: Map<string, LastDelivered> = new Map();
  /** Up to where this node delivered its own events itself. */
  #local = 0;

  /** @param home The node, as the log knows it. */
  constructor(home: string) {
    this.#nodeKeyId = home;
  }

  /** Notes that this node delivered an event of its own itself. */
  markLocal(number: number): void {
    this.#local = Math.max(this.#local, number);
  }

  /** Whether an event of this node was delivered here. */
  hasDelivered(isToAll: boolean, number: number): boolean {
    const newest = isToAll ? this.#own.lastBroadcast : this.#own.lastDirect;
    return number <= Math.max(newest, this.#local);
  }

  /** Notes an event. Answers whether it was delivered before. */
  isDuplicate(
    sender: string,
    isToAll: boolean,
    number: number,
    isRepeated: boolean,
  ): boolean {
    const isOwn = sender === this.#nodeKeyId;
    const newest = isOwn ? this.#own : this.#of(sender);
    const known = isToAll ? newest.lastBroadcast : newest.lastDirect;
    if (isToAll) newest.lastBroadcast = Math.max(known, number);
    else newest.lastDirect = Math.max(known, number);
    return isRepeated && number <= known || isOwn && number <= this.#local;
  }

  #of(sender: string): LastDelivered {
    let newest = this.#others.get(sender);
    // The one that was heard last is forgotten last.
    if (newest === undefined) newest = { lastBroadcast: 0, lastDirect: 0 };
    else this.#others.delete(sender);
    this.#others.set(sender, newest);
    if (this.#others.size > MAX_SENDERS) {
      this.#others.delete(this.#others.keys().next().value!);
    }
    return newest;
  }
}
