const MIN_DELAY_MS = 50;
const MAX_DELAY_MS = 5_000;
/** For how long an attempt may go without an answer before there is another one. */
const ATTEMPT_TIMEOUT_MS = 30_000;

/** Tries something again and again, less and less often, until it works. */
export class Backoff {
  readonly #attempt: () => Promise<unknown>;
  readonly #onDone: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  #since = 0;
  #isRunning = false;

  /**
   * @param attempt What to try; it rejects where it did not work.
   * @param onDone Told when it worked.
   */
  constructor(attempt: () => Promise<unknown>, onDone: () => void) {
    this.#attempt = attempt;
    this.#onDone = onDone;
  }

  /** Whether it has not worked yet. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Begins, if it has not. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#tries = 0;
    this.#wait();
  }

  /** Does not wait any longer for the next attempt. */
  retryNow(): void {
    if (!this.#isRunning) return;
    clearTimeout(this.#timer);
    this.#try();
  }

  /** Ends. */
  stop(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    const ms = Math.min(MIN_DELAY_MS * 2 ** this.#tries++, MAX_DELAY_MS);
    // Many nodes lose their server at the same time.
    this.#timer = setTimeout(() => this.#try(), ms * (0.5 + Math.random() / 2));
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** One at a time: a client keeps what it cannot send yet. */
  #try(): void {
    const now = Date.now();
    if (this.#since > now - ATTEMPT_TIMEOUT_MS) return this.#wait();
    this.#since = now;
    this.#attempt().then(
      () => {
        if (!this.#isRunning) return;
        this.stop();
        this.#onDone();
      },
      () => {
        if (this.#isRunning) this.#wait();
      },
    ).finally(() => this.#since = 0);
  }
}
