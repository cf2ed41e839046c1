/** How long nodes may take to restore their sessions in an empty Redis. */
const RECOVERY_HEARTBEATS = 3;
const MIN_RECOVERY_MS = 1_000;

/** The time in which all nodes restore what Redis has lost. */
export class Recovery {
  readonly #ms: number;
  readonly #onEnd: () => void;
  #done: Promise<void> | undefined;
  #end: () => void = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param heartbeatMs The time between two heartbeats, in milliseconds.
   * @param onEnd Called at the end of each recovery.
   */
  constructor(heartbeatMs: number, onEnd: () => void) {
    this.#ms = Math.max(RECOVERY_HEARTBEATS * heartbeatMs, MIN_RECOVERY_MS);
    this.#onEnd = onEnd;
  }

  /** Whether it is in progress. */
  get isRunning(): boolean {
    return this.#done !== undefined;
  }

  /** Resolves when it has ended; at once if it is not in progress. */
  async done(): Promise<void> {
    await this.#done;
  }

  /** Starts, anew if it is in progress. */
  start(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(), this.#ms);
    (this.#timer as { unref?: () => void }).unref?.();
    this.#done ??= new Promise((resolve) => {
      this.#end = () => {
        clearTimeout(this.#timer);
        this.#done = undefined;
        this.#end = () => {};
        resolve();
        this.#onEnd();
      };
    });
  }

  /** Ends it early. */
  end(): void {
    this.#end();
  }
}
