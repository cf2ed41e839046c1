/**
 * How many messages may wait for earlier ones before they are dropped and read
 * from the log.
 */
const MAX_MESSAGES = 10_000;

/** Callbacks of a {@linkcode CatchUp}. */
export interface CatchUpListener {
  /** Reads what is missing from the log. */
  readonly read: () => Promise<void>;
  /** Takes a message that has waited. */
  readonly take: (text: string) => void;
  /** Called with an error of the log. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Reads the log when messages are missing. Messages that arrive meanwhile wait,
 * so that events are delivered in order.
 */
export class CatchUp {
  readonly #listener: CatchUpListener;
  #texts: string[] = [];
  #run: Promise<void> | undefined;
  /** Whether messages were lost with a connection, and not read since. */
  #isUnread = false;

  /** @param listener Reads the log, and takes messages. */
  constructor(listener: CatchUpListener) {
    this.#listener = listener;
  }

  /** Whether the log is being read. */
  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** Whether messages must wait. */
  get isNeeded(): boolean {
    return this.isRunning || this.#isUnread;
  }

  /** Adds a message. The oldest ones are dropped, and read from the log later. */
  add(text: string): void {
    this.#texts.push(text);
    if (this.#texts.length > MAX_MESSAGES) this.#texts.shift();
  }

  /** Called when messages may have been lost with a connection. */
  invalidate(): void {
    this.#isUnread = true;
  }

  /** Reads the log, once at a time. */
  run(): Promise<void> {
    return this.#run ??= this.#readAll().then(
      () => {
        this.#run = undefined;
        this.release();
      },
      (error) => {
        // These messages are read from the log when the server is back.
        this.#run = undefined;
        this.clear();
        this.#listener.onFailed(error);
      },
    );
  }

  /** Takes the messages that have waited. */
  release(): void {
    const texts = this.#texts;
    this.clear();
    for (const text of texts) this.#listener.take(text);
  }

  /** Forgets all messages. */
  clear(): void {
    this.#texts = [];
  }

  async #readAll(): Promise<void> {
    let isUnread = false;
    try {
      do {
        isUnread ||= this.#isUnread;
        this.#isUnread = false;
        await this.#listener.read();
      } while (this.#isUnread);
    } catch (error) {
      this.#isUnread ||= isUnread;
      throw error;
    }
  }
}
