/** A connected client, and what it has received. */
export abstract class Client {
  /** Whether it asked for updates of the news. */
  abstract readonly subscribed: boolean;
  /** How many notifications of each method since the last `forget`. */
  readonly #received: Map<string, number> = new Map();
  readonly #onReceive: () => void;
  /** Whether the server has ended its stream of notifications. */
  ended = false;

  /** @param onReceive Called for every notification. */
  constructor(onReceive: () => void) {
    this.#onReceive = onReceive;
  }

  /** Counts a notification. */
  protected receive(method: string): void {
    this.#received.set(method, (this.#received.get(method) ?? 0) + 1);
    this.#onReceive();
  }

  /** Tells whether it got so many of a method, and nothing else. */
  hasExactly(times: number, method: string): boolean {
    return this.#received.size === (times > 0 ? 1 : 0) &&
      (this.#received.get(method) ?? 0) === times;
  }

  /** Starts to count anew. */
  forget(): void {
    this.#received.clear();
  }

  /** Lets go of its connections. */
  abstract close(): Promise<void>;
}
