import { Counts } from "../runtime/counts.ts";
import { observedBody } from "../runtime/observed_body.ts";

/**
 * How many requests of each client are being answered: until the transport has
 * responded, or until the end of the response if that is an event stream.
 */
export class ResponseCounts {
  readonly isUnlimited: boolean;
  readonly #max: number;
  readonly #counts = new Counts();

  /** @param max How many there may be for a client. */
  constructor(max: number) {
    this.#max = max;
    this.isUnlimited = max === Infinity;
  }

  /** Returns whether a client has as many as it may have. */
  isFull(client: string): boolean {
    return this.#counts.get(client) >= this.#max;
  }

  /** Counts a request, until `leave` or the end of its response. */
  enter(client: string): void {
    if (!this.isUnlimited) this.#counts.add(client, 1);
  }

  /** Counts a request no longer. */
  leave(client: string): void {
    if (!this.isUnlimited) this.#counts.add(client, -1);
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
    const onEnd = () => this.leave(client);
    return new Response(observedBody(body, { onEnd }), response);
  }
}
