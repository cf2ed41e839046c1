import { Deferred } from "../../runtime/deferred.ts";

/** How often to check whether discovery is done, in milliseconds. */
const POLL_MS = 50;

/** Options of {@linkcode Discovery}. */
export interface DiscoveryOptions {
  /**
   * After how long without a message of another node this one is alone, in
   * milliseconds since it can receive messages.
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
 * Determines when a new node has found all other nodes and has received their
 * data.
 */
export class Discovery {
  readonly #name: string;
  readonly #options: DiscoveryOptions;
  /** Nodes that have sent their data. */
  readonly #synced: Set<string> = new Set();
  /** Nodes that other nodes know. */
  readonly #knownByOthers: Set<string> = new Set();
  readonly #done = new Deferred();
  #timer: ReturnType<typeof setInterval> | undefined;
  #isDone = false;

  /**
   * @param name The name of the new node.
   * @param options Timings, and what is known of other nodes.
   */
  constructor(name: string, options: DiscoveryOptions) {
    this.#name = name;
    this.#options = options;
  }

  /** Resolves when discovery has ended. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Whether discovery has ended. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Starts discovery.
   *
   * @param listen Resolves when this node receives the messages of others.
   */
  async start(listen: () => Promise<void>): Promise<void> {
    const startedAt = Date.now();
    let listeningAt = Infinity;
    // Unlike the scheduler, this timer keeps the process alive until the node is
    // ready.
    this.#timer = setInterval(() => {
      const { aloneAfterMs, maxWaitMs } = this.#options;
      const now = Date.now();
      const mayBeAlone = now - listeningAt >= aloneAfterMs;
      const isComplete = now >= listeningAt && this.#areAllSynced() &&
        (this.#synced.size > 0 || mayBeAlone);
      if (isComplete || now - startedAt >= maxWaitMs) this.end();
    }, POLL_MS);
    await listen();
    listeningAt = Date.now();
  }

  /**
   * Called when a node has sent all its data.
   *
   * @param node The node.
   * @param others The nodes that it knows.
   */
  onSynced(node: string, others: readonly string[]): void {
    this.#synced.add(node);
    if (this.#isDone) return;
    for (const name of others) this.#knownByOthers.add(name);
  }

  /** Called when a node is down: discovery no longer waits for it. */
  onPeerDown(node: string): void {
    this.#synced.delete(node);
    this.#knownByOthers.delete(node);
  }

  /** Ends discovery. */
  end(): void {
    this.#isDone = true;
    clearInterval(this.#timer);
    this.#knownByOthers.clear();
    this.#done.resolve();
  }

  #areAllSynced(): boolean {
    this.#knownByOthers.delete(this.#name);
    for (const name of [...this.#options.known(), ...this.#knownByOthers]) {
      if (!this.#synced.has(name)) return false;
    }
    return this.#options.isReady();
  }
}
