import type { Batch } from "../protocol.ts";

/** Which receivers should acknowledge at once what waits to be sent. */
export class AckRequests {
  #receivers: true | Set<string> = new Set();

  /** Adds receivers; `undefined` for all. */
  add(receivers: readonly string[] | undefined): void {
    if (receivers === undefined) this.#receivers = true;
    else if (this.#receivers !== true) {
      for (const name of receivers) this.#receivers.add(name);
    }
  }

  /**
   * Returns the requests in a batch.
   *
   * @param to Its receiver; `undefined` for all.
   */
  in(to: string | undefined): Batch["ackBy"] {
    const receivers = this.#receivers;
    if (receivers === true) return true;
    if (to !== undefined) return receivers.has(to) || undefined;
    return receivers.size > 0 ? [...receivers] : undefined;
  }

  /** Removes and returns the receivers; `all` are all that there are. */
  take(all: Iterable<string>): Iterable<string> {
    const receivers = this.#receivers;
    this.#receivers = new Set();
    return receivers === true ? all : receivers;
  }
}
