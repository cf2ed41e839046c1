import { withoutSessionId } from "./headers.ts";

/** A request whose body is limited in size. */
export class LimitedRequest {
  /** The request to pass on. Its body fails at the limit. */
  readonly request: Request;
  #isTooLarge = false;

  /**
   * Limits the size of a JSON body; transports read no others.
   *
   * @param request The request. It is not copied if its headers give the length
   * of the body.
   * @param maxBytes The limit.
   */
  constructor(request: Request, maxBytes: number) {
    this.request = request;
    if (!isJsonPost(request)) return;
    const length = Number(request.headers.get("content-length") ?? NaN);
    if (length > maxBytes) this.#isTooLarge = true;
    // On Bun, a body that was looked at is slower to read.
    if (!Number.isNaN(length) || maxBytes === Infinity || !request.body) return;
    const body = this.#limit(request.body, maxBytes);
    this.request = withBody(request, body, request.headers);
  }

  /** Whether the body is known by now to be too large. */
  get isTooLarge(): boolean {
    return this.#isTooLarge;
  }

  #limit(
    body: ReadableStream<Uint8Array>,
    maxBytes: number,
  ): ReadableStream<Uint8Array> {
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    let total = 0;
    return new ReadableStream({
      pull: async (controller) => {
        reader ??= body.getReader();
        const { done, value } = await reader.read();
        if (done) return controller.close();
        total += value.byteLength;
        if (total <= maxBytes) return controller.enqueue(value);
        this.#isTooLarge = true;
        // Not awaited: see `discardBody`.
        reader.cancel().catch(() => {});
        throw new RangeError(
          `The request body has more than ${maxBytes} bytes.`,
        );
      },
      cancel: (reason) => (reader ?? body).cancel(reason),
      // Nothing is read before the transport reads.
    }, { highWaterMark: 0 });
  }
}

/**
 * Returns an `initialize` request without its session ID, or undefined if a
 * request is another one. Reads the body of JSON requests.
 */
export async function asNewInitialize(
  request: Request,
): Promise<Request | undefined> {
  if (!isJsonPost(request)) return undefined;
  const { message, copy } = await readMessage(request);
  const { method } = (message ?? {}) as { method?: unknown };
  return method === "initialize" ? withoutSessionId(copy) : undefined;
}

/**
 * Reads the JSON body of a request.
 *
 * @returns The message and the body, if there are any, and a copy of the
 * request that can be read.
 */
export async function readMessage(
  request: Request,
): Promise<{ message: unknown; body: string | undefined; copy: Request }> {
  if (!isJsonPost(request)) {
    return { message: undefined, body: undefined, copy: request };
  }
  let text = "";
  let message: unknown;
  try {
    text = await request.text();
    message = JSON.parse(text);
  } catch {
    // The transport refuses what is no JSON, or was cut off.
  }
  const copy = withBody(request, text, request.headers);
  return { message, body: text, copy };
}

/** Returns whether a transport parses the body of a request. */
function isJsonPost({ method, headers }: Request): boolean {
  return method === "POST" &&
    (headers.get("content-type") ?? "").includes("application/json");
}

function withBody(
  { url, method, signal }: Request,
  body: ReadableStream<Uint8Array> | string,
  headers: Headers,
): Request {
  const init = { method, headers, body, signal, duplex: "half" };
  return new Request(url, init as RequestInit);
}
