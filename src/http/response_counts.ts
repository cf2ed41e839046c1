import type { RequestCounts } from "../contracts/guarding.ts";
import { Counts } from "../runtime/counts.ts";
import { observedBody } from "../runtime/observed_body.ts";

/** How many requests of each client are being answered. */
export class ResponseCounts implements RequestCounts {
  readonly #max: number;
  readonly #counts = new Counts();

  /** @param max How many there may be for a client. */
  constructor(max: number) {
    this.#max = max;
  }

  isFull(client: string): boolean {
    return this.#counts.get(client) >= this.#max;
  }

  counted(
    client: string,
    answer: () => Promise<Response>,
    goesOn: (response: Response) => boolean,
  ): Promise<Response> {
    return this.#max === Infinity
      ? answer()
      : this.#counted(client, answer, goesOn);
  }

  async #counted(
    client: string,
    answer: () => Promise<Response>,
    goesOn: (response: Response) => boolean,
  ): Promise<Response> {
    this.#counts.add(client, 1);
    const onEnd = () => this.#counts.add(client, -1);
    let isOver = true;
    try {
      const response = await answer();
      // On Deno, a body that was looked at is slower to read.
      if (!goesOn(response) || response.body === null) return response;
      const body = observedBody(response.body, { onEnd });
      isOver = false;
      return new Response(body, response);
    } finally {
      if (isOver) onEnd();
    }
  }
}
