const LF = 0x0a;

/** Streams and their readers: what a fan-out is measured on. */
export class Streams {
  readonly #readers: ReadableStreamDefaultReader<Uint8Array>[];
  readonly #reads: (Promise<Uint8Array> | undefined)[] = [];

  /** @param bodies The streams, which nobody else reads. */
  constructor(bodies: readonly ReadableStream<Uint8Array>[]) {
    this.#readers = bodies.map((body) => body.getReader());
  }

  /** Has the readers of streams wait, where they do not wait already. */
  wait(streams: readonly number[]): void {
    for (const at of streams) this.#read(at);
  }

  /**
   * Takes from streams what was put in.
   *
   * @param streams Which.
   * @param bytesEach How much has to come out of each.
   * @throws {Error} When more comes out. When less does, this never settles.
   */
  async drain(streams: readonly number[], bytesEach: number): Promise<void> {
    for (const at of streams) {
      let left = bytesEach;
      while (left > 0) left -= (await this.#take(at)).length;
      if (left < 0) throw new Error(`${-left} bytes too many arrived.`);
    }
  }

  /**
   * Takes as many events from each stream, whose length is not known; all are given
   * the same.
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

/** Streams to write to without any manager. */
export class OpenStreams extends Streams {
  /** What a manager writes to. */
  readonly controllers: readonly ReadableStreamDefaultController<Uint8Array>[];

  /** @param count How many to open. */
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
  if (value === undefined) throw new Error("A stream has ended.");
  return value;
}
