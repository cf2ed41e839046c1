/** The numbered messages that the page has received, and how. */
export class Sequence {
  /** The number of the first one; undefined before that. */
  first;
  /** The highest number that was received. */
  highest = 0;
  /** How many were received in which way. */
  counts = { live: 0, replayed: 0, read: 0 };
  /** How many were received again. */
  repeated = 0;
  #ways = new Map();

  /**
   * Adds a message.
   *
   * @param {number} number Its number.
   * @param {"live" | "replayed" | "read"} way How it was received.
   */
  add(number, way) {
    this.first ??= number;
    if (number < this.first) return;
    if (this.#ways.has(number)) {
      // Reading again repeats what is known.
      if (way !== "read") this.repeated++;
      return;
    }
    this.#ways.set(number, way);
    this.counts[way]++;
    this.highest = Math.max(this.highest, number);
  }

  /** How a message was received; undefined if it was not. */
  way(number) {
    return this.#ways.get(number);
  }

  /** How many were received. */
  get received() {
    return this.#ways.size;
  }

  /** How many were sent up to a number. */
  sent(upTo) {
    return this.first === undefined
      ? 0
      : Math.max(upTo, this.highest) - this.first + 1;
  }

  /** How many of those up to a number were not received. */
  missing(upTo) {
    let missing = 0;
    for (let number = this.first ?? Infinity; number <= upTo; number++) {
      if (!this.#ways.has(number)) missing++;
    }
    return missing;
  }
}
