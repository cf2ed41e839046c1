import type { History } from "./history.ts";

/** Calls that go on in the background. */
export class PendingCalls {
  readonly #calls: Map<Promise<unknown>, string> = new Map();
  readonly #history: History;

  /** @param history Where rejections are added. */
  constructor(history: History) {
    this.#history = history;
  }

  /** What has not returned. */
  get names(): string[] {
    return [...this.#calls.values()];
  }

  /** Adds a call, which must not be rejected. */
  add(call: Promise<unknown>, what: string): void {
    const done = call.catch((error) =>
      this.#history.violate(`${what} was rejected: ${(error as Error).stack}`)
    ).finally(() => this.#calls.delete(done));
    this.#calls.set(done, what);
  }
}
