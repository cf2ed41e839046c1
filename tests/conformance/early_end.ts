import { AsyncLocalStorage } from "node:async_hooks";

type Handler = (request: Request) => Response | Promise<Response>;

/**
 * Ends the response to a request while it is still being handled, as a proxy
 * does, or a server that avoids long streams: a tool calls `now` to end the
 * response that the client reads. The handler sees that its reader is gone.
 */
export class EarlyEnd {
  readonly #requests = new AsyncLocalStorage<PromiseWithResolvers<void>>();

  /** Ends the response to the current request. */
  readonly now = (): void => this.#requests.getStore()?.resolve();

  /** Handles a request whose response may be ended. */
  async respond(request: Request, handler: Handler): Promise<Response> {
    const end = Promise.withResolvers<void>();
    const response = await this.#requests.run(end, () => handler(request));
    if (request.method !== "POST" || response.body === null) return response;
    return new Response(until(end.promise, response.body), response);
  }
}

/** Returns the same stream, which also ends when the promise resolves. */
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
