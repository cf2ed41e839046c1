/** How often to look whether all others are known, in milliseconds. */
const POLL_MS = 50;

/** What a {@linkcode Discovery} goes by. */
export interface DiscoveryOptions {
  /** After how long a node takes itself to be alone, in milliseconds. */
  readonly aloneAfterMs: number;
  /** After how long it goes on in any case, in milliseconds. */
  readonly maxWaitMs: number;
  /** The names of all nodes that were heard of. */
  readonly known: () => Iterable<string>;
  /** Whether all is known of them. */
  readonly isReady: () => boolean;
}

/** Finds out when a new node has met the others, and knows what they have. */
export class Discovery {
  /** Resolves when it has, or that takes too long. */
  readonly done: Promise<void>;
  readonly #name: string;
  readonly #options: DiscoveryOptions;
  /** Nodes that have told what they have. */
  readonly #synced: Set<string> = new Set();
  /** Nodes that others have met. */
  readonly #named: Set<string> = new Set();
  #finish: () => void = () => {};
  #timer: ReturnType<typeof setInterval> | undefined;
  #isDone = false;

  /**
   * @param name The name of the new node.
   * @param options What it goes by.
   */
  constructor(name: string, options: DiscoveryOptions) {
    this.#name = name;
    this.#options = options;
    this.done = new Promise((resolve) => this.#finish = resolve);
  }

  /** Whether it has ended. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Begins to look.
   *
   * @param listening Resolves when other nodes can be heard.
   */
  async start(listening: () => Promise<void>): Promise<void> {
    const startedAt = Date.now();
    let isListening = false;
    // Keeps the process alive, for whoever waits until this node is ready.
    this.#timer = setInterval(() => {
      const { aloneAfterMs, maxWaitMs } = this.#options;
      const waited = Date.now() - startedAt;
      const isAlone = this.#synced.size === 0;
      const knowsOthers = isListening && this.#knowsOthers() &&
        (!isAlone || waited >= aloneAfterMs);
      if (knowsOthers || waited >= maxWaitMs) this.end();
    }, POLL_MS);
    await listening();
    isListening = true;
  }

  /** A node has told what it has, and whom it has met. */
  onSynced(node: string, others: readonly string[]): void {
    this.#synced.add(node);
    if (this.#isDone) return;
    for (const name of others) this.#named.add(name);
  }

  /** A node is there no longer. */
  onPeerDown(node: string): void {
    this.#synced.delete(node);
    this.#named.delete(node);
  }

  /** Looks no longer. */
  end(): void {
    this.#isDone = true;
    clearInterval(this.#timer);
    this.#named.clear();
    this.#finish();
  }

  #knowsOthers(): boolean {
    this.#named.delete(this.#name);
    for (const name of [...this.#options.known(), ...this.#named]) {
      if (!this.#synced.has(name)) return false;
    }
    return this.#options.isReady();
  }
}
