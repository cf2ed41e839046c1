import type { ClientLimits } from "../contracts/guarding.ts";
import { exceedsBytes } from "../runtime/utf8_length.ts";
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
    const known = knownBodies.get(request);
    if (known !== undefined && !exceedsBytes(known.text, maxBytes)) return;
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
type BodyLimits = Pick<ClientLimits, "bodies">;

/** The body of a request that need not be read. */
interface KnownBody {
  readonly text: string;
  /** Undefined if the text is no JSON. */
  readonly message: unknown;
}

const knownBodies: WeakMap<Request, KnownBody> = new WeakMap();

/**
 * Notes the body of a request, so that it is not read again.
 *
 * @returns The request, which can still be read.
 */
export function withKnownBody(request: Request, known: KnownBody): Request {
  knownBodies.set(request, known);
  return request;
}

/** Reads the JSON body of a request, unless it is known. */
export async function readMessage(
  request: Request,
  { bodies }: BodyLimits,
): Promise<ReadBody> {
  if (!isJsonPost(request)) {
    return {
      message: undefined,
      body: undefined,
      copy: request,
      isSlow: false,
    };
  }
  const known = knownBodies.get(request);
  if (known !== undefined) {
    const { message, text: body } = known;
    return { message, body, copy: request, isSlow: false };
  }
  let text = "";
  let isSlow = false;
  try {
    const read = await bodies.wait(request.text());
    isSlow = read === undefined;
    text = read ?? "";
  } catch {
    // It was cut off.
  }
  const message = parsed(text);
  return {
    message,
    body: text,
    // It takes longer than all the rest, and may not be needed.
    get copy() {
      const copy = withBody(request, text, request.headers);
      return withKnownBody(copy, { text, message });
    },
    isSlow,
  };
}

/** Parses a body; undefined if it is no JSON, which the transport refuses. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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
