const MIN_DELAY_MS = 50;
const MAX_DELAY_MS = 5_000;
/**
 * After how long without an answer an attempt is abandoned, in milliseconds.
 */
const ATTEMPT_TIMEOUT_MS = 30_000;

/** Callbacks of a {@linkcode Backoff}. */
export interface BackoffListener {
  /** Called when an attempt succeeded. */
  readonly onDone: () => void;
  /** Called with the error of each attempt that failed. */
  readonly onFailed: (error: unknown) => void;
}

/** Retries with exponential backoff until an attempt succeeds. */
export class Backoff {
  readonly #attempt: () => Promise<unknown>;
  readonly #listener: BackoffListener;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  #since = 0;
  #isRunning = false;

  /**
   * @param attempt The attempt; it rejects if it fails.
   * @param listener Called with the results.
   */
  constructor(attempt: () => Promise<unknown>, listener: BackoffListener) {
    this.#attempt = attempt;
    this.#listener = listener;
  }

  /** Whether retries are in progress. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /**
   * Starts, unless retries are in progress.
   *
   * @param isContinued Whether to continue with the delay of the last attempt.
   */
  start(isContinued = false): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    if (!isContinued) this.#tries = 0;
    this.#wait();
  }

  /** Retries without waiting for the backoff. */
  retryNow(): void {
    if (!this.#isRunning) return;
    clearTimeout(this.#timer);
    this.#try();
  }

  /** Stops. */
  stop(): void {
    this.#isRunning = false;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    const ms = Math.min(MIN_DELAY_MS * 2 ** this.#tries++, MAX_DELAY_MS);
    // Jitter: many nodes lose their server at the same time.
    this.#timer = setTimeout(() => this.#try(), ms * (0.5 + Math.random() / 2));
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /**
   * Makes one attempt at a time: clients queue commands that they cannot send
   * yet.
   */
  #try(): void {
    const now = Date.now();
    if (this.#since > now - ATTEMPT_TIMEOUT_MS) return this.#wait();
    this.#since = now;
    this.#attempt().then(
      () => {
        if (!this.#isRunning) return;
        this.stop();
        this.#listener.onDone();
      },
      (error) => {
        if (!this.#isRunning) return;
        this.#wait();
        this.#listener.onFailed(error);
      },
    ).finally(() => this.#since = 0);
  }
}
