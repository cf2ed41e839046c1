/**
 * How many requests of each client are being answered: until the transport has
 * responded, or until the end of the response if that is an event stream.
 */
export class ResponseCounts {
  readonly isUnlimited: boolean;
  readonly #max: number;
  readonly #counts: Map<string, number> = new Map();

  /** @param max How many there may be for a client. */
  constructor(max: number) {
    this.#max = max;
    this.isUnlimited = max === Infinity;
  }

  /** Returns whether a client has as many as it may have. */
  isFull(client: string): boolean {
    return (this.#counts.get(client) ?? 0) >= this.#max;
  }

  /** Counts a request, until `leave` or the end of its response. */
  enter(client: string): void {
    if (!this.isUnlimited) this.#change(client, 1);
  }

  /** Counts a request no longer. */
  leave(client: string): void {
    if (!this.isUnlimited) this.#change(client, -1);
  }

  /**
   * Counts a request until the end of its response.
   *
   * @returns The response, with a body that passes the other one on without a
   * buffer.
   */
  untilEnd(client: string, response: Response): Response {
    const { body } = response;
    if (this.isUnlimited || body === null) {
      this.leave(client);
      return response;
    }
    return new Response(observed(body, () => this.leave(client)), response);
  }

  #change(client: string, change: 1 | -1): void {
    const count = (this.#counts.get(client) ?? 0) + change;
    if (count === 0) this.#counts.delete(client);
    else this.#counts.set(client, count);
  }
}

/** Passes a body on, and calls a function once when it ends. */
function observed(
  body: ReadableStream<Uint8Array>,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let isOpen = true;
  const end = () => {
    if (isOpen) onEnd();
    isOpen = false;
  };
  return new ReadableStream({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        end();
        controller.close();
      } catch (error) {
        end();
        throw error;
      }
    },
    cancel: (reason) => {
      end();
      return reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
