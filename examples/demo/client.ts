/** How a client connects. */
export interface ConnectOptions {
  /** A resource to subscribe to. */
  readonly subscribe?: string | undefined;
  /** Called for every notification. */
  readonly onReceive: (client: Client) => void;
  /** Sends the requests. */
  readonly fetch: Fetch;
  /** Whether it opens another stream when one ends. */
  readonly reconnects: boolean;
}

/** The function that clients send requests with. */
export type Fetch = (
  url: string | URL,
  init?: RequestInit,
) => Promise<Response>;

/** A connected client, and what it has received. */
export abstract class Client {
  /** Whether it subscribed to updates of the news. */
  readonly subscribed: boolean;
  /** Whether it opens another stream when one ends. */
  reconnects: boolean;
  /** Whether the server has ended its stream of notifications. */
  ended = false;
  /** The number of notification streams that it has opened. */
  streams = 0;
  /** The worker that holds its current stream, if the server names it. */
  worker: string | undefined;
  /** The number of notifications by method, since the last `resetCounts`. */
  readonly #received: Map<string, number> = new Map();
  readonly #onReceive: ConnectOptions["onReceive"];

  constructor({ subscribe, reconnects, onReceive }: ConnectOptions) {
    this.subscribed = subscribe !== undefined;
    this.reconnects = reconnects;
    this.#onReceive = onReceive;
  }

  /** Records that it has a stream. */
  protected open(response: Response): void {
    this.worker = response.headers.get("x-worker") ?? undefined;
    this.streams++;
  }

  /** Counts a notification. */
  protected receive(method: string): void {
    this.#received.set(method, (this.#received.get(method) ?? 0) + 1);
    this.#onReceive(this);
  }

  /**
   * Returns whether it got this number of notifications of a method, and no
   * others.
   */
  hasExactly(times: number, method: string): boolean {
    return this.#received.size === (times > 0 ? 1 : 0) &&
      (this.#received.get(method) ?? 0) === times;
  }

  /** Resets the counters. */
  resetCounts(): void {
    this.#received.clear();
  }

  /** Closes its connections. */
  abstract close(): Promise<void>;
}
