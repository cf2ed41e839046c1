/** Real streams and their readers: what a fan-out is measured on. */
export class Streams {
  /** What a manager writes to. */
  readonly controllers: ReadableStreamDefaultController[] = [];
  readonly #readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
  readonly #reads: (Promise<number> | undefined)[] = [];

  /** @param count How many to open. */
  constructor(count: number) {
    for (let at = 0; at < count; at++) {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          this.controllers.push(controller);
        },
      });
      this.#readers.push(body.getReader());
    }
  }

  /** Has the readers of streams wait, where they do not wait already. */
  wait(streams: readonly number[]): void {
    for (const at of streams) {
      this.#reads[at] ??= this.#readers[at]!.read()
        .then(({ value }) => value?.byteLength ?? 0);
    }
  }

  /**
   * Takes from streams what one `send` has put in.
   *
   * @returns How many bytes came out of all of them.
   */
  async drain(streams: readonly number[]): Promise<number> {
    this.wait(streams);
    let total = 0;
    for (const at of streams) {
      total += await this.#reads[at]!;
      this.#reads[at] = undefined;
    }
    return total;
  }

  /** Ends the streams, so that their memory can be freed. */
  close(): void {
    for (const controller of this.controllers) controller.close();
  }
}
