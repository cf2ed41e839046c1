/**
 * Texts that wait for the end of the turn, in their order. Each is one more link on
 * a chain, and streams that got the same texts hold the same link: what one of them
 * joins to a chunk is the chunk of all.
 */
export class FrameBatch {
  readonly #before: FrameBatch | undefined;
  readonly #last: Uint8Array<ArrayBuffer>;
  /** How many bytes. */
  readonly length: number;
  #after: FrameBatch | undefined;
  #joined: Uint8Array<ArrayBuffer> | undefined;

  /**
   * @param before What comes before, if anything.
   * @param last The newest text.
   */
  constructor(
    before: FrameBatch | undefined,
    last: Uint8Array<ArrayBuffer>,
  ) {
    this.#before = before;
    this.#last = last;
    this.length = (before?.length ?? 0) + last.length;
  }

  /** Whether they are one and the same text. */
  isSingle(bytes: Uint8Array<ArrayBuffer>): boolean {
    return this.#last === bytes && this.#before === undefined;
  }

  /** These and one more, the same for all who add the same. */
  append(bytes: Uint8Array<ArrayBuffer>): FrameBatch {
    // One `send` after the other goes to its streams, so whoever adds this text
    // does so before anyone adds another one.
    const after = this.#after;
    if (after !== undefined && after.#last === bytes) return after;
    return this.#after = new FrameBatch(this, bytes);
  }

  /** All of them in one piece, made once. */
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

/** Where the chains of a turn start, so that streams can share them. */
export class FrameBatcher {
  #first: FrameBatch | undefined;

  /** The chain that starts with a text. */
  startWith(bytes: Uint8Array<ArrayBuffer>): FrameBatch {
    if (!this.#first?.isSingle(bytes)) {
      this.#first = new FrameBatch(undefined, bytes);
    }
    return this.#first!;
  }

  /** Lets go of the turn's texts. */
  clear(): void {
    this.#first = undefined;
  }
}
