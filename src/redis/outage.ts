import { ClusterError } from "../errors.ts";

/** What a reply begins with that says: not now; in a script's error, the inner one. */
const NOT_NOW =
  /(?:^|[ :]-)(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|OOM|BUSY|NOREPLICAS|MISCONF|UNKILLABLE)\b/;
/** What any reply begins with that is an error. */
const REPLY = /^-?[A-Z][A-Z0-9]+ /;
/** What clients say that subscribe, and can do nothing else. */
const SUBSCRIBES =
  /allowed in this context|(?:subscri(?:ber|ption)|pub\/?sub) mode/i;
const LEAST_MS = 50;
const MOST_MS = 5_000;
/** For how long an attempt may go without an answer before there is another one. */
const STUCK_MS = 30_000;

/** Whether a command failed because the server cannot be reached, or cannot work now. */
export function isOutage(error: unknown): boolean {
  // Neither the server's nor the connection's.
  if (error instanceof RangeError || error instanceof TypeError) return false;
  if (error instanceof ClusterError) return false;
  const message = messageOf(error);
  return NOT_NOW.test(message) ||
    !REPLY.test(message) && !SUBSCRIBES.test(message);
}

/** Whether a client refuses to do anything because it subscribes. */
export function subscribes(error: unknown): boolean {
  const message = messageOf(error);
  return SUBSCRIBES.test(message) && !message.includes("NOPERM");
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return String((error as { message?: unknown } | null)?.message ?? error);
}

/** Tries something again and again, less and less often, until it works. */
export class Retry {
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
  hurry(): void {
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
    const ms = Math.min(LEAST_MS * 2 ** this.#tries++, MOST_MS);
    // Many nodes lose their server at the same time.
    this.#timer = setTimeout(() => this.#try(), ms * (0.5 + Math.random() / 2));
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** One at a time: a client keeps what it cannot send yet. */
  #try(): void {
    const now = Date.now();
    if (this.#since > now - STUCK_MS) return this.#wait();
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
