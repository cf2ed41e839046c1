import {
  type ReceivedEvent,
  SseParser,
} from "../../src/testing/support/sse_parser.ts";

/** The state of a stream. */
export type StreamState = "open" | "closed" | "errored";

/**
 * How long to wait for a condition, in milliseconds: less than a call may take,
 * so that a failing test shows what has arrived.
 */
const DEADLINE_MS = 20_000;

/** Reads a stream as soon as there is something, and keeps the events. */
export class EventCollector {
  /** The events with data; those without only carry an ID. */
  readonly events: ReceivedEvent[] = [];
  readonly #parser = new SseParser();
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #watchers: Set<() => void> = new Set();
  #state: StreamState = "open";
  #parsed = 0;

  /** @param body The stream. */
  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
    void this.#read();
  }

  /** Whether the stream is open, or how it ended. */
  get state(): StreamState {
    return this.#state;
  }

  /** Whether the transport has announced the stream. */
  get isConnected(): boolean {
    return this.#parser.comments.includes(" connected");
  }

  /** The last event ID that its client would send now. */
  get lastEventId(): string {
    return this.#parser.lastEventId;
  }

  /**
   * Resolves when a condition is true, the stream has ended, or the wait is too
   * long.
   */
  async until(isSo: () => boolean): Promise<void> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#tell();
    }, DEADLINE_MS);
    while (!isLate && !isSo() && this.#state === "open") {
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
    clearTimeout(timer);
  }

  /** Cancels the stream, as a client does. */
  async cancel(): Promise<void> {
    // A stream that has errored rejects with that error: it has ended as well.
    await this.#reader.cancel().catch(() => {});
  }

  async #read(): Promise<void> {
    try {
      while (true) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        this.#parser.push(value);
        this.#keep();
        this.#tell();
      }
      this.#state = "closed";
    } catch {
      this.#state = "errored";
    }
    this.#tell();
  }

  #keep(): void {
    const { events } = this.#parser;
    for (; this.#parsed < events.length; this.#parsed++) {
      const event = events[this.#parsed]!;
      if (event.data !== "") this.events.push(event);
    }
  }

  #tell(): void {
    for (const tell of this.#watchers) tell();
    this.#watchers.clear();
  }
}
