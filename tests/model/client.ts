import { assert } from "@std/assert";
import { parseSse } from "../support/sse_parser.ts";

/** How a stream measures what it holds. */
export type Kind = "count" | "roomy" | "lengths" | "unbuffered" | "bytes";

/** What is read of a stream that others write to as well. */
const FOREIGN = "[foreign]";
const KEEP_ALIVE = ": keep-alive\n\n";

/** A stream as a transport makes it, and the client at its other end. */
export class Client {
  readonly session: string;
  readonly controller: ReadableStreamDefaultController;
  /** Whether it reads all it can get, or only what it is told to. */
  readonly isEager: boolean;
  /** All it has read, without what is not the manager's and without comments. */
  text = "";
  /** How many bytes that were, and in how many chunks. */
  bytes = 0;
  chunks = 0;
  /** When it last read something. */
  readAt: number;
  ended: "closed" | "errored" | undefined;
  /** Whether the manager has broken its stream off. */
  isGone = false;
  /** What it should not have got, in words. */
  complaint: string | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #room: number;
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
    this.#room = this.controller.desiredSize!;
    this.readAt = Date.now();
    if (isEager) void this.#readAll();
  }

  /** Reads chunks that are there, at most that many. */
  async read(count: number): Promise<void> {
    while (count-- > 0 && this.holds && !this.isEager) await this.#readOne();
  }

  /** Reads to the end, if it comes. */
  async finish(): Promise<void> {
    if (!this.isEager) void this.#readAll();
    for (let turn = 0; turn < 20 && !this.ended; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    assert(this.ended, `A stream of "${this.session}" never ended.`);
  }

  /** Says that nobody reads any more. */
  cancel(): void {
    // A stream that has failed rejects with that.
    void this.#reader.cancel().catch(() => {});
  }

  /** Somebody else writes to the stream. */
  enqueueForeign(): void {
    this.controller.enqueue(new TextEncoder().encode(FOREIGN));
  }

  /** Whether there is something to read. */
  get holds(): boolean {
    const size = this.controller.desiredSize;
    return !this.ended && size !== null && size < this.#room;
  }

  /** The ids of the events it got. */
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
      this.complaint = "got a comment in the midst of a frame";
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
