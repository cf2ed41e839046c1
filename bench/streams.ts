const LF = 0x0a;

/** Streams and their readers. */
export class Streams {
  readonly #readers: ReadableStreamDefaultReader<Uint8Array>[];
  readonly #reads: (Promise<Uint8Array> | undefined)[] = [];

  /** @param bodies The streams, which must have no other reader. */
  constructor(bodies: readonly ReadableStream<Uint8Array>[]) {
    this.#readers = bodies.map((body) => body.getReader());
  }

  /** Starts a read on each of the streams that has none pending. */
  wait(streams: readonly number[]): void {
    for (const at of streams) this.#read(at);
  }

  /**
   * Reads the bytes that were written to streams.
   *
   * @param streams The indexes of the streams.
   * @param bytesEach The bytes to read from each.
   * @throws {Error} If there are more. If there are fewer, this never settles.
   */
  async drain(streams: readonly number[], bytesEach: number): Promise<void> {
    for (const at of streams) {
      let left = bytesEach;
      while (left > 0) left -= (await this.#take(at)).length;
      if (left < 0) {
        throw new Error(`${-left} more bytes arrived than were expected.`);
      }
    }
  }

  /**
   * Reads a number of events of unknown length from each stream; all streams
   * got the same.
   */
  async drainEvents(streams: readonly number[], events: number): Promise<void> {
    const [first = 0, ...others] = streams;
    let bytes = 0;
    for (let left = events; left > 0;) {
      const chunk = await this.#take(first);
      bytes += chunk.length;
      for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at)) {
        // An event ends with an empty line.
        if (chunk[++at] === LF) left--;
      }
    }
    await this.drain(others, bytes);
  }

  #take(at: number): Promise<Uint8Array> {
    const read = this.#read(at);
    this.#reads[at] = undefined;
    return read;
  }

  #read(at: number): Promise<Uint8Array> {
    return this.#reads[at] ??= this.#readers[at]!.read().then(bytesOf);
  }
}

/** Streams that can be written to without a manager. */
export class OpenStreams extends Streams {
  /** The controllers that a manager writes to. */
  readonly controllers: readonly ReadableStreamDefaultController<Uint8Array>[];

  /** @param count The number of streams to open. */
  constructor(count: number) {
    const controllers: ReadableStreamDefaultController<Uint8Array>[] = [];
    super(Array.from(
      { length: count },
      () =>
        new ReadableStream<Uint8Array>({
          start: (controller) => void controllers.push(controller),
        }),
    ));
    this.controllers = controllers;
  }
}

function bytesOf(
  { value }: ReadableStreamReadResult<Uint8Array>,
): Uint8Array {
  if (value === undefined) throw new Error("A stream ended early.");
  return value;
}
