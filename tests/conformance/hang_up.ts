import { AsyncLocalStorage } from "node:async_hooks";

type Handler = (request: Request) => Response | Promise<Response>;

/**
 * Ends the response to a request while the request is still being handled, the way
 * a proxy or a server that wants no long streams does: `now`, called by the tool,
 * ends the response that the client reads. Whoever handles the request sees that
 * nobody reads any more.
 */
export class HangUp {
  readonly #requests = new AsyncLocalStorage<PromiseWithResolvers<void>>();

  /** Ends the response to the request that is being handled. */
  readonly now = (): void => this.#requests.getStore()?.resolve();

  /** Handles a request whose response may be ended. */
  async respond(request: Request, handler: Handler): Promise<Response> {
    const end = Promise.withResolvers<void>();
    const response = await this.#requests.run(end, () => handler(request));
    if (request.method !== "POST" || response.body === null) return response;
    return new Response(until(end.promise, response.body), response);
  }
}

/** The same stream, until it ends or the promise is resolved. */
function until(
  end: Promise<void>,
  stream: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  const ended = end.then(() => ({ done: true, value: undefined } as const));
  return new ReadableStream({
    async pull(controller) {
      const { value } = await Promise.race([ended, reader.read()]);
      if (value !== undefined) return controller.enqueue(value);
      controller.close();
      await reader.cancel();
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
