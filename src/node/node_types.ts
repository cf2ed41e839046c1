/**
 * The part of a `node:http` request that an adapter reads. Requests of Express,
 * Connect and the compatibility API of `node:http2` have it as well.
 */
export interface NodeRequest {
  /** The method. */
  readonly method?: string | undefined;
  /** The path and the query. */
  url?: string | undefined;
  /** The path and the query before a router removed a part of it. */
  readonly originalUrl?: string | undefined;
  /** The headers. */
  readonly headers: {
    readonly [name: string]: string | string[] | undefined;
  };
  /** Whether the body was read to its end. */
  readonly readableEnded: boolean;
  /** Reads the rest of the body, and drops it. */
  resume(): unknown;
  /** The body, if a middleware such as `express.json()` has parsed it. */
  readonly body?: unknown;
  /** What an authentication middleware found out about the client. */
  readonly auth?: unknown;
}

/**
 * The part of a `node:http` response that an adapter uses. Responses of Express,
 * Connect and the compatibility API of `node:http2` have it as well.
 */
export interface NodeResponse {
  /** The status code. */
  statusCode: number;
  /** Whether the head was sent. */
  readonly headersSent: boolean;
  /** Whether `end` was called. */
  readonly writableEnded: boolean;
  /** Whether everything was sent. */
  readonly writableFinished: boolean;
  /** How many bytes were written and not sent. */
  readonly writableLength: number;
  /** Writes a part of the body. */
  write(chunk: Uint8Array): boolean;
  /** Sends what a middleware such as `compression` holds back. */
  flush?(): unknown;
  /** Ends the response. */
  end(): unknown;
  /** Closes the connection. */
  destroy(): unknown;
  /** Adds a listener. */
  on(event: "close" | "drain", listener: () => void): unknown;
}

/**
 * Handles a request of `node:http`. Never rejects.
 *
 * @param request The request.
 * @param response Its response.
 * @param nextOrBody The `next` of Express or Connect, which is called with an
 * error; or the parsed body of the request, if it was read before. By default,
 * an error is answered with 500, and a parsed body is taken from `request.body`.
 */
export type NodeHandler<Request extends NodeRequest = NodeRequest> = (
  request: Request,
  response: NodeResponse,
  nextOrBody?: unknown,
) => Promise<void>;
