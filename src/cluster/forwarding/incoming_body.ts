import { Deferred } from "../../runtime/deferred.ts";

const encoder = new TextEncoder();

/** The body of a response that another node sends piece by piece. */
export class IncomingBody {
  readonly #onRead: (characters: number) => void;
  readonly #onCancel: () => void;
  readonly #pieces: string[] = [];
  #end: { readonly error: Error | undefined } | undefined;
  /** Resolves when there is something to read. */
  #wake = new Deferred<void>();

  /**
   * @param onRead Called with the number of characters that were read.
   * @param onCancel Called when nobody reads the rest.
   */
  constructor(onRead: (characters: number) => void, onCancel: () => void) {
    this.#onRead = onRead;
    this.#onCancel = onCancel;
  }

  /** Adds a piece. */
  push(text: string): void {
    this.#pieces.push(text);
    this.#wake.resolve();
  }

  /** Ends the body, after what was pushed. */
  end(error?: Error): void {
    this.#end ??= { error };
    this.#wake.resolve();
  }

  /**
   * Returns what the caller reads, and whether all of it is here by now. To be
   * called once.
   */
  open(): {
    readonly body: string | ReadableStream<Uint8Array>;
    readonly isComplete: boolean;
  } {
    const isComplete = this.#end !== undefined && !this.#end.error;
    // A stream would take longer than all the rest.
    const body = isComplete ? this.#pieces.join("") : this.#stream();
    return { body, isComplete };
  }

  #stream(): ReadableStream<Uint8Array> {
    return new ReadableStream({
      pull: async (controller) => {
        while (this.#pieces.length === 0 && this.#end === undefined) {
          await this.#wake.promise;
          this.#wake = new Deferred();
        }
        const piece = this.#pieces.shift();
        if (piece !== undefined) {
          controller.enqueue(encoder.encode(piece));
          this.#onRead(piece.length);
        } else if (this.#end?.error === undefined) controller.close();
        else controller.error(this.#end.error);
      },
      cancel: this.#onCancel,
    }, { highWaterMark: 0 });
  }
}
