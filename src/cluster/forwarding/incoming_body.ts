import { Deferred } from "../../runtime/deferred.ts";

const encoder = new TextEncoder();

/** The body of a response that another node sends piece by piece. */
export class IncomingBody {
  /** What the caller reads. */
  readonly stream: ReadableStream<Uint8Array>;
  readonly #pieces: string[] = [];
  #end: { readonly error: Error | undefined } | undefined;
  /** Resolves when there is something to read. */
  #wake = new Deferred<void>();

  /**
   * @param onRead Called with the number of characters that were read.
   * @param onCancel Called when nobody reads the rest.
   */
  constructor(onRead: (characters: number) => void, onCancel: () => void) {
    this.stream = new ReadableStream({
      pull: async (controller) => {
        while (this.#pieces.length === 0 && this.#end === undefined) {
          await this.#wake.promise;
          this.#wake = new Deferred();
        }
        const piece = this.#pieces.shift();
        if (piece !== undefined) {
          controller.enqueue(encoder.encode(piece));
          onRead(piece.length);
        } else if (this.#end?.error === undefined) controller.close();
        else controller.error(this.#end.error);
      },
      cancel: onCancel,
    }, { highWaterMark: 0 });
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
}
