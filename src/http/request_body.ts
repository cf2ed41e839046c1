import type { ClientLimits } from "../contracts/guarding.ts";
import { waitAtMost } from "../runtime/deadline.ts";
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
 * request is another one; "slow" if its body takes too long. Reads the body of
 * JSON requests.
 */
export async function asNewInitialize(
  request: Request,
  limits: BodyLimits,
): Promise<Request | "slow" | undefined> {
  if (!isJsonPost(request)) return undefined;
  const { message, copy, isSlow } = await readMessage(request, limits);
  if (isSlow) return "slow";
  return isInitialize(message) ? withoutSessionId(copy) : undefined;
}

/** Returns whether a message begins a session. */
export function isInitialize(message: unknown): boolean {
  const { method } = (message ?? {}) as { method?: unknown };
  return method === "initialize";
}

/** The body of a request that was read. */
export interface ReadBody {
  /** The message, if it is one. */
  readonly message: unknown;
  readonly body: string | undefined;
  /** A copy of the request that can be read. */
  readonly copy: Request;
  /** Whether the body did not arrive in time. */
  readonly isSlow: boolean;
}

/** How long to wait for a body. */
type BodyLimits = Pick<ClientLimits, "bodyTimeoutMs">;

/** Reads the JSON body of a request. */
export async function readMessage(
  request: Request,
  { bodyTimeoutMs }: BodyLimits,
): Promise<ReadBody> {
  if (!isJsonPost(request)) {
    return {
      message: undefined,
      body: undefined,
      copy: request,
      isSlow: false,
    };
  }
  let text = "";
  let message: unknown;
  let isSlow = false;
  try {
    const read = await waitAtMost(request.text(), bodyTimeoutMs);
    isSlow = read === undefined;
    text = read ?? "";
    message = JSON.parse(text);
  } catch {
    // The transport refuses what is no JSON, or was cut off.
  }
  return {
    message,
    body: text,
    // It takes longer than all the rest, and may not be needed.
    get copy() {
      return withBody(request, text, request.headers);
    },
    isSlow,
  };
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
