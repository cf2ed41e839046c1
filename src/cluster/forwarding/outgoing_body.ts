import { Deferred } from "../../runtime/deferred.ts";

/** Sends the body of a response to another node, as far as that node reads. */
export class OutgoingBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** How many characters may be sent. */
  #credit: number;
  #isCancelled = false;
  #wake = new Deferred<void>();

  constructor(body: ReadableStream<Uint8Array>, credit: number) {
    this.#reader = body.getReader();
    this.#credit = credit;
  }

  /**
   * Sends everything.
   *
   * @param send Sends a piece.
   * @returns Whether the body ended; it may have failed, or been cancelled.
   */
  async sendAll(send: (text: string) => void): Promise<boolean> {
    const decoder = new TextDecoder();
    try {
      while (!this.#isCancelled) {
        const { done, value } = await this.#reader.read();
        const text = decoder.decode(value, { stream: !done });
        if (text !== "" && !this.#isCancelled) {
          send(text);
          this.#credit -= text.length;
        }
        if (done) return true;
        while (this.#credit <= 0 && !this.#isCancelled) {
          await this.#wake.promise;
          this.#wake = new Deferred();
        }
      }
    } catch {
      // The transport failed; its error is its own.
    }
    return false;
  }

  /** Allows more to be sent. */
  grant(characters: number): void {
    this.#credit += characters;
    this.#wake.resolve();
  }

  /** Stops: nobody reads the rest. */
  cancel(): void {
    this.#isCancelled = true;
    this.#wake.resolve();
    this.#reader.cancel().catch(() => {});
  }
}
