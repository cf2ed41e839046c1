import { assert } from "@std/assert";
import { parseSse } from "../support/sse_parser.ts";

/** How a stream measures its queue. */
export type Kind = "count" | "roomy" | "lengths" | "unbuffered" | "bytes";

/** A chunk that others write to the stream. */
const FOREIGN = "[foreign]";
const KEEP_ALIVE = ": keep-alive\n\n";

/** A stream as a transport makes it, and the client that reads it. */
export class Client {
  readonly session: string;
  readonly controller: ReadableStreamDefaultController;
  /** Whether it reads everything at once, or only when `read` is called. */
  readonly isEager: boolean;
  /** Everything it has read, except foreign chunks and comments. */
  text = "";
  /** The bytes of that, and the number of chunks. */
  bytes = 0;
  chunks = 0;
  /** The time of its last read. */
  readAt: number;
  ended: "closed" | "errored" | undefined;
  /** Whether the manager has aborted its stream. */
  isAborted = false;
  /** Describes data that it should not have received. */
  fault: string | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #capacity: number;
  readonly #decoder = new TextDecoder();

  constructor(
    session: string,
    kind: Kind,
    isEager: boolean,
    cancel: () => void,
  ) {
    this.session = session;
    this.isEager = isEager;
    let controller: unknown;
    const start = (given: unknown) => {
      controller = given;
    };
    const stream = kind === "bytes"
      ? new ReadableStream<Uint8Array>({ type: "bytes", start, cancel })
      : new ReadableStream<Uint8Array>({ start, cancel }, strategy(kind));
    this.controller = controller as ReadableStreamDefaultController;
    this.#reader = stream.getReader();
    this.#capacity = this.controller.desiredSize!;
    this.readAt = Date.now();
    if (isEager) void this.#readAll();
  }

  /** Reads available chunks, up to a number. */
  async read(count: number): Promise<void> {
    while (count-- > 0 && this.holds && !this.isEager) await this.#readOne();
  }

  /** Reads to the end of the stream. */
  async finish(): Promise<void> {
    if (!this.isEager) void this.#readAll();
    for (let turn = 0; turn < 20 && !this.ended; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    assert(this.ended, `A stream of "${this.session}" did not end.`);
  }

  /** Cancels the stream. */
  cancel(): void {
    // A stream that has errored rejects with that error.
    void this.#reader.cancel().catch(() => {});
  }

  /** Writes to the stream as others might. */
  enqueueForeign(): void {
    this.controller.enqueue(new TextEncoder().encode(FOREIGN));
  }

  /** Whether there is something to read. */
  get holds(): boolean {
    const size = this.controller.desiredSize;
    return !this.ended && size !== null && size < this.#capacity;
  }

  /** The IDs of the events that it received. */
  get ids(): string[] {
    return parseSse(this.text).events.map(({ id }) => id).filter(Boolean);
  }

  async #readAll(): Promise<void> {
    while (!this.ended) await this.#readOne();
  }

  async #readOne(): Promise<void> {
    let chunk: Uint8Array;
    try {
      const { done, value } = await this.#reader.read();
      if (done) return void (this.ended = "closed");
      chunk = value;
    } catch {
      return void (this.ended = "errored");
    }
    const text = this.#decoder.decode(chunk);
    this.readAt = Date.now();
    if (text === FOREIGN) return;
    if (text !== KEEP_ALIVE) {
      this.text += text;
      this.bytes += chunk.length;
      this.chunks++;
    } else if (this.text !== "" && !this.text.endsWith("\n\n")) {
      this.fault = "got a comment within a frame";
    }
  }
}

function strategy(
  kind: Exclude<Kind, "bytes">,
): QueuingStrategy<Uint8Array> {
  switch (kind) {
    case "count":
      return {};
    case "roomy":
      return new CountQueuingStrategy({ highWaterMark: 5 });
    case "unbuffered":
      return new CountQueuingStrategy({ highWaterMark: 0 });
    case "lengths":
      return new ByteLengthQueuingStrategy({ highWaterMark: 64 });
  }
}
