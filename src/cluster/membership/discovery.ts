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
  /** After how long this node is ready in any case, in milliseconds. */
  readonly maxWaitMs: number;
  /** Whether the message bus is known to be down. */
  readonly isDown: () => boolean;
  /** Returns the names of all known nodes. */
  readonly known: () => Iterable<string>;
  /**
   * Returns whether all components have received the data of the other nodes.
   */
  readonly isReady: () => boolean;
}

/**
 * Determines when a new node has found all other nodes and has received their
 * data. If the message bus is down at first, that may be long after it is ready.
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
  #hasFound = false;
  #isListening = false;
  #wasDown = false;
  /** Since when this node can receive messages. */
  #listeningAt = Infinity;

  /**
   * @param name The name of the new node.
   * @param options Timings, and what is known of other nodes.
   */
  constructor(name: string, options: DiscoveryOptions) {
    this.#name = name;
    this.#options = options;
  }

  /** Resolves when this node is ready. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Whether this node is ready. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Whether the search has ended: the others were found, or there are none. */
  get hasFound(): boolean {
    return this.#hasFound;
  }

  /**
   * Starts discovery.
   *
   * @param listen Resolves when this node receives the messages of others.
   */
  async start(listen: () => Promise<void>): Promise<void> {
    const startedAt = Date.now();
    // Unlike the scheduler, this timer keeps the process alive until the node is
    // ready.
    this.#timer = setInterval(() => {
      const now = Date.now();
      this.#observeBus(now);
      if (this.#isComplete(now)) this.end();
      else if (now - startedAt >= this.#options.maxWaitMs) this.#setReady();
    }, POLL_MS);
    await listen();
    this.#isListening = true;
    this.#observeBus(Date.now());
  }

  /**
   * Called when a node has sent all its data.
   *
   * @param node The node.
   * @param others The nodes that it knows.
   */
  onSynced(node: string, others: readonly string[]): void {
    this.#synced.add(node);
    if (this.#hasFound) return;
    for (const name of others) this.#knownByOthers.add(name);
  }

  /** Called when a node is down: discovery no longer waits for it. */
  onPeerDown(node: string): void {
    this.#synced.delete(node);
    this.#knownByOthers.delete(node);
  }

  /** Ends discovery. */
  end(): void {
    this.#hasFound = true;
    clearInterval(this.#timer);
    this.#knownByOthers.clear();
    this.#setReady();
  }

  #setReady(): void {
    this.#isDone = true;
    (this.#timer as { unref?: () => void } | undefined)?.unref?.();
    this.#done.resolve();
  }

  /** While the bus is down, no other node can be found. */
  #observeBus(now: number): void {
    const isDown = this.#options.isDown();
    if (isDown) this.#wasDown = true;
    if (isDown || !this.#isListening) this.#listeningAt = Infinity;
    else this.#listeningAt = Math.min(this.#listeningAt, now);
  }

  #isComplete(now: number): boolean {
    const { aloneAfterMs, maxWaitMs } = this.#options;
    const listeningMs = now - this.#listeningAt;
    if (listeningMs < 0) return false;
    // The others may reach the bus again later than this node.
    const mayBeAlone =
      listeningMs >= (this.#wasDown ? maxWaitMs : aloneAfterMs);
    const hasMet = this.#synced.size > 0 || mayBeAlone;
    return hasMet && this.#areAllSynced() || listeningMs >= maxWaitMs;
  }

  #areAllSynced(): boolean {
    this.#knownByOthers.delete(this.#name);
    for (const name of [...this.#options.known(), ...this.#knownByOthers]) {
      if (!this.#synced.has(name)) return false;
    }
    return this.#options.isReady();
  }
}
