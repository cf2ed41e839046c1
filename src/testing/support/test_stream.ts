import { SseParser } from "./sse_parser.ts";

/** How a {@linkcode TestStream} is made. */
export interface TestStreamOptions {
  /** Called when the reader cancels, as a transport's stream does. */
  readonly cancel?: () => unknown;
  /** How the stream measures what it holds. */
  readonly strategy?: QueuingStrategy<Uint8Array>;
  /** A stream of bytes, with `ReadableByteStreamController`. */
  readonly bytes?: boolean;
}

/** A real stream, with its controller at one end and its reader at the other. */
export class TestStream {
  /** What a manager is given. */
  readonly controller: ReadableStreamDefaultController;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  /** @param options How the stream is made. */
  constructor(options: TestStreamOptions = {}) {
    let controller: unknown;
    const start = (given: unknown) => {
      controller = given;
    };
    const cancel = () => void options.cancel?.();
    const stream: ReadableStream<Uint8Array> = options.bytes
      ? new ReadableStream({ type: "bytes", start, cancel })
      : new ReadableStream({ start, cancel }, options.strategy);
    this.controller = controller as ReadableStreamDefaultController;
    this.#reader = stream.getReader();
  }

  /** Reads until that many bytes have come, or the stream ends before. */
  async read(length: number): Promise<Uint8Array> {
    const parts = [this.#rest];
    let held = this.#rest.length;
    while (held < length) {
      const { done, value } = await this.#reader.read();
      if (done) break;
      parts.push(value);
      held += value.length;
    }
    const bytes = new Uint8Array(held);
    let offset = 0;
    for (const part of parts) {
      bytes.set(part, offset);
      offset += part.length;
    }
    this.#rest = bytes.subarray(length);
    return bytes.subarray(0, length);
  }

  /** Reads as much as a text is long in UTF-8, and decodes it. */
  async readAs(text: string): Promise<string> {
    const { length } = new TextEncoder().encode(text);
    return new TextDecoder().decode(await this.read(length));
  }

  /** Reads to the end; how the stream ended, and the text before. */
  async end(): Promise<{ ended: "closed" | "errored"; text: string }> {
    const decoder = new TextDecoder();
    let text = decoder.decode(this.#rest, { stream: true });
    this.#rest = new Uint8Array();
    try {
      while (true) {
        const { done, value } = await this.#reader.read();
        if (done) return { ended: "closed", text };
        text += decoder.decode(value, { stream: true });
      }
    } catch {
      return { ended: "errored", text };
    }
  }

  /** Reads on and on, as soon as there is something; what has come so far. */
  follow(): SseParser {
    const parser = new SseParser();
    parser.push(this.#rest);
    void this.#feed(parser);
    return parser;
  }

  async #feed(parser: SseParser): Promise<void> {
    try {
      while (true) {
        const { done, value } = await this.#reader.read();
        if (done) return;
        parser.push(value);
      }
    } catch {
      // It has ended as well.
    }
  }

  /** Enqueues what the manager does not know of, as a transport does. */
  interfere(text: string): void {
    this.controller.enqueue(new TextEncoder().encode(text));
  }

  /** Says that nobody reads any more, as a client does that goes away. */
  async cancel(): Promise<void> {
    // A stream that has errored rejects with that error: it has ended as well.
    await this.#reader.cancel().catch(() => {});
  }
}
