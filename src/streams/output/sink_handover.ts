import type { StreamSink } from "./sink.ts";

/** A stream that can write to a sink. */
export interface SinkableStream {
  readonly controller: ReadableStreamDefaultController;
  /** Whether everything was read that was written to the Web Stream. */
  readonly isRead: boolean;
  /** Writes a comment, if one may be written now. */
  probe(): void;
  /** Writes to a sink from now on. */
  useSink(sink: StreamSink): void;
  /** Called when the Web Stream has ended: writing throws from now on. */
  closeSink(): void;
}

/** Connects the body of a response to the stream that was created for it. */
export interface BodyLink {
  /** Undefined until the stream is attached. */
  stream: SinkableStream | undefined;
}

const links: WeakMap<ReadableStream, BodyLink> = new WeakMap();

/** Records which stream the body of a response probably belongs to. */
export function linkBody(body: ReadableStream | null, link: BodyLink): void {
  if (body !== null) links.set(body, link);
}

/** Reads what a connection has to send. */
export type BodyReader = Pick<
  ReadableStreamDefaultReader<Uint8Array>,
  "read" | "cancel" | "releaseLock"
>;

/**
 * Lets the stream behind the body of a response write to a sink.
 *
 * A stream begins as a Web Stream, because a transport writes to it as well.
 * The result reads that stream, until all of it was read; from then on, its
 * frames go directly to the sink. What the transport writes later still arrives
 * here.
 *
 * The consumer must write each chunk to the connection before it reads the next
 * one.
 *
 * @param body The body of a response.
 * @param sink The connection that the result is written to.
 * @returns Reads what to write to the connection instead of the body; undefined
 * if no stream belongs to it.
 */
export function readerWithSink(
  body: ReadableStream<Uint8Array>,
  sink: StreamSink,
): BodyReader | undefined {
  const link = links.get(body);
  return link && new SinkHandover(body, link, sink);
}

class SinkHandover implements BodyReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #link: BodyLink;
  readonly #sink: StreamSink;
  /** Whether the body is known to be the Web Stream of the linked stream. */
  #isVerified = false;
  /** Whether the stream has the sink, or never gets it. */
  #isDecided = false;

  constructor(
    body: ReadableStream<Uint8Array>,
    link: BodyLink,
    sink: StreamSink,
  ) {
    this.#reader = body.getReader();
    this.#link = link;
    this.#sink = sink;
  }

  async read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    let isOver = true;
    try {
      const result = await this.#read();
      isOver = result.done;
      return result;
    } finally {
      if (isOver) this.#link.stream?.closeSink();
    }
  }

  releaseLock(): void {
    this.#reader.releaseLock();
  }

  cancel(reason: unknown): Promise<void> {
    this.#link.stream?.closeSink();
    return this.#reader.cancel(reason);
  }

  #read(): ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]> {
    const { stream } = this.#link;
    if (this.#isDecided || stream === undefined) return this.#reader.read();
    if (this.#isVerified && stream.isRead) {
      this.#isDecided = true;
      stream.useSink(this.#sink);
      return this.#reader.read();
    }
    return this.#readAndVerify(stream);
  }

  /**
   * A transport may pass its stream through another one, which must not be
   * bypassed. But only reading from a stream itself makes room in it at once.
   */
  #readAndVerify(
    stream: SinkableStream,
  ): ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]> {
    if (stream.isRead) stream.probe();
    const canTell = !stream.isRead;
    const before = stream.controller.desiredSize ?? 0;
    const result = this.#reader.read();
    const after = stream.controller.desiredSize ?? 0;
    if (after > before) this.#isVerified = true;
    else if (canTell) this.#isDecided = true;
    return result;
  }
}
