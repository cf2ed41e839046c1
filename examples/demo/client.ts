/** How a client connects. */
export interface ConnectOptions {
  /** A resource to subscribe to. */
  readonly subscribe?: string | undefined;
  /** Called for every notification. */
  readonly onReceive: (client: Client) => void;
  /** What stands for the network. */
  readonly fetch: Fetch;
  /** Whether it opens another stream when one ends. */
  readonly comesBack: boolean;
}

/** What clients send requests with. */
export type Fetch = (
  url: string | URL,
  init?: RequestInit,
) => Promise<Response>;

/** A connected client, and what it has received. */
export abstract class Client {
  /** Whether it asked for updates of the news. */
  readonly subscribed: boolean;
  /** Whether it opens another stream when one ends. */
  comesBack: boolean;
  /** Whether the server has ended its stream of notifications. */
  ended = false;
  /** How many streams of notifications it has opened so far. */
  streams = 0;
  /** Which worker the latest hangs on, where the server says so. */
  worker: string | undefined;
  /** How many notifications of each method since the last `forget`. */
  readonly #received: Map<string, number> = new Map();
  readonly #onReceive: ConnectOptions["onReceive"];

  constructor({ subscribe, comesBack, onReceive }: ConnectOptions) {
    this.subscribed = subscribe !== undefined;
    this.comesBack = comesBack;
    this.#onReceive = onReceive;
  }

  /** Notes that it has a stream. */
  protected open(response: Response): void {
    this.worker = response.headers.get("x-worker") ?? undefined;
    this.streams++;
  }

  /** Counts a notification. */
  protected receive(method: string): void {
    this.#received.set(method, (this.#received.get(method) ?? 0) + 1);
    this.#onReceive(this);
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
