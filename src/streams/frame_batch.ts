/**
 * Frames that wait for the end of the turn: a linked list. Streams that got the
 * same frames share the same list, so that each combination is concatenated
 * once.
 */
export class FrameBatch {
  readonly #before: FrameBatch | undefined;
  readonly #last: Uint8Array<ArrayBuffer>;
  /** The length in bytes. */
  readonly length: number;
  #after: FrameBatch | undefined;
  #joined: Uint8Array<ArrayBuffer> | undefined;

  /**
   * @param before The frames before the last one, if any.
   * @param last The last frame.
   */
  constructor(
    before: FrameBatch | undefined,
    last: Uint8Array<ArrayBuffer>,
  ) {
    this.#before = before;
    this.#last = last;
    this.length = (before?.length ?? 0) + last.length;
  }

  /** Returns whether the batch is a single frame with these bytes. */
  isSingle(bytes: Uint8Array<ArrayBuffer>): boolean {
    return this.#last === bytes && this.#before === undefined;
  }

  /**
   * Returns the batch with one more frame; the same object for every caller
   * that appends the same frame.
   */
  append(bytes: Uint8Array<ArrayBuffer>): FrameBatch {
    // A `send` reaches all its streams before the next one begins, so
    // remembering the latest result is enough.
    const after = this.#after;
    if (after !== undefined && after.#last === bytes) return after;
    return this.#after = new FrameBatch(this, bytes);
  }

  /** Concatenates the frames. The result is cached. */
  concat(): Uint8Array<ArrayBuffer> {
    if (this.#before === undefined) return this.#last;
    if (this.#joined === undefined) {
      const joined = new Uint8Array(this.length);
      // deno-lint-ignore no-this-alias
      let frames: FrameBatch | undefined = this;
      while (frames !== undefined) {
        const start: number = frames.length - frames.#last.length;
        joined.set(frames.#last, start);
        frames = frames.#before;
      }
      this.#joined = joined;
    }
    return this.#joined;
  }
}

/** The batches of a turn, so that streams can share them. */
export class FrameBatcher {
  #first: FrameBatch | undefined;

  /** Returns the batch that consists of one frame. */
  startWith(bytes: Uint8Array<ArrayBuffer>): FrameBatch {
    if (!this.#first?.isSingle(bytes)) {
      this.#first = new FrameBatch(undefined, bytes);
    }
    return this.#first!;
  }

  /** Releases the frames of the turn. */
  clear(): void {
    this.#first = undefined;
  }
}
