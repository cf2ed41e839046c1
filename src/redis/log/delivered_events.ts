/** How many senders are remembered. */
const MAX_SENDERS = 10_000;

/** The newest event of a sender for everyone, and for single sessions. */
interface Newest {
  toAll: number;
  toSome: number;
}

/**
 * Which events a node has delivered, by sender and number: what is added again after
 * a log was lost, and what a node delivered itself while it could not be added, is
 * delivered once.
 */
export class Heard {
  readonly #home: string;
  readonly #own: Newest = { toAll: 0, toSome: 0 };
  readonly #others: Map<string, Newest> = new Map();
  /** Up to where this node delivered its own events itself. */
  #here = 0;

  /** @param home The node, as the log knows it. */
  constructor(home: string) {
    this.#home = home;
  }

  /** Notes that this node delivered an event of its own itself. */
  here(number: number): void {
    this.#here = Math.max(this.#here, number);
  }

  /** Whether an event of this node was delivered here. */
  hasOwn(isToAll: boolean, number: number): boolean {
    const newest = isToAll ? this.#own.toAll : this.#own.toSome;
    return number <= Math.max(newest, this.#here);
  }

  /** Notes an event. Answers whether it was delivered before. */
  isOld(
    sender: string,
    isToAll: boolean,
    number: number,
    isRepeated: boolean,
  ): boolean {
    const isOwn = sender === this.#home;
    const newest = isOwn ? this.#own : this.#of(sender);
    const known = isToAll ? newest.toAll : newest.toSome;
    if (isToAll) newest.toAll = Math.max(known, number);
    else newest.toSome = Math.max(known, number);
    return isRepeated && number <= known || isOwn && number <= this.#here;
  }

  #of(sender: string): Newest {
    let newest = this.#others.get(sender);
    // The one that was heard last is forgotten last.
    if (newest === undefined) newest = { toAll: 0, toSome: 0 };
    else this.#others.delete(sender);
    this.#others.set(sender, newest);
    if (this.#others.size > MAX_SENDERS) {
      this.#others.delete(this.#others.keys().next().value!);
    }
    return newest;
  }
}
