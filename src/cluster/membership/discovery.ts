/** How often to check whether all other nodes are known, in milliseconds. */
const POLL_MS = 50;

/** Options of {@linkcode Discovery}. */
export interface DiscoveryOptions {
  /**
   * After how long without a message of another node this one is alone, in
   * milliseconds.
   */
  readonly aloneAfterMs: number;
  /** After how long discovery ends in any case, in milliseconds. */
  readonly maxWaitMs: number;
  /** Returns the names of all known nodes. */
  readonly known: () => Iterable<string>;
  /**
   * Returns whether all components have received the data of the other nodes.
   */
  readonly isReady: () => boolean;
}

/**
 * Finds out when a new node has found the other nodes and received their data.
 */
export class Discovery {
  /** Resolves when discovery has ended. */
  readonly done: Promise<void>;
  readonly #name: string;
  readonly #options: DiscoveryOptions;
  /** Nodes that have sent their data. */
  readonly #synced: Set<string> = new Set();
  /** Nodes that others know. */
  readonly #knownByOthers: Set<string> = new Set();
  #finish: () => void = () => {};
  #timer: ReturnType<typeof setInterval> | undefined;
  #isDone = false;

  /**
   * @param name The name of the new node.
   * @param options Timings, and what is known of other nodes.
   */
  constructor(name: string, options: DiscoveryOptions) {
    this.#name = name;
    this.#options = options;
    this.done = new Promise((resolve) => this.#finish = resolve);
  }

  /** Whether discovery has ended. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Starts discovery.
   *
   * @param listening Resolves when messages of other nodes are received.
   */
  async start(listening: () => Promise<void>): Promise<void> {
    const startedAt = Date.now();
    let isListening = false;
    // Keeps the process alive while someone waits for this node.
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

  /** A node has sent its data, and the names of the nodes that it knows. */
  onSynced(node: string, others: readonly string[]): void {
    this.#synced.add(node);
    if (this.#isDone) return;
    for (const name of others) this.#knownByOthers.add(name);
  }

  /** A node is down. */
  onPeerDown(node: string): void {
    this.#synced.delete(node);
    this.#knownByOthers.delete(node);
  }

  /** Ends discovery. */
  end(): void {
    this.#isDone = true;
    clearInterval(this.#timer);
    this.#knownByOthers.clear();
    this.#finish();
  }

  #knowsOthers(): boolean {
    this.#knownByOthers.delete(this.#name);
    for (const name of [...this.#options.known(), ...this.#knownByOthers]) {
      if (!this.#synced.has(name)) return false;
    }
    return this.#options.isReady();
  }
}
