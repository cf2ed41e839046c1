import type { CloseOptions } from "../contracts/options.ts";
import type {
  SdkFetchOptions,
  SdkHandlerOptions,
  SdkHandlerStats,
} from "./options.ts";
import type { SdkTransport } from "./sdk_types.ts";
import { assertHandlerOptions } from "./options.ts";
import { SdkHost } from "./sdk_host.ts";

/** Serves a server of the official SDK. */
export interface SdkHandler extends AsyncDisposable {
  /**
   * Answers a request. Can be used without its object.
   *
   * @param request The request. The path does not matter.
   * @param options Who sends the request, and its body, if it was parsed.
   * @throws {InvalidArgumentError} If an argument is invalid. As a rejected
   * promise.
   */
  readonly fetch: (
    request: Request,
    options?: SdkFetchOptions,
  ) => Promise<Response>;
  /** Returns the counters. */
  stats(): SdkHandlerStats;
  /**
   * Closes all servers and transports of this node, and refuses requests with
   * 503 from then on. Other nodes take their sessions over. The sessions stay
   * open; close them afterwards. If you close the sessions first, the handler is
   * closed as well. Calling it again changes nothing.
   *
   * @param options With `drainMs`, waits until all requests are answered, for at
   * most so many milliseconds. Meanwhile, other nodes take sessions over when
   * their clients call them.
   * @throws {InvalidArgumentError} If an option is invalid. As a rejected
   * promise.
   */
  close(options?: Pick<CloseOptions, "drainMs">): Promise<void>;
}

/**
 * Serves a server that was built with the official SDK, with the sessions of
 * this package: clients get the guarantees of `sessions.guard`, and
 * `sessions.streams.send` reaches them.
 *
 * Each session has a server and a transport. The transport answers the POST
 * requests. What the server sends on its own is read from the transport and sent
 * to the stream of the session, which is one of `sessions.streams`: it has their
 * limits and their replay. Both are closed when the session ends: with a DELETE
 * request, after `info.idleTimeoutMs`, or with the handler.
 *
 * Validate the `Origin` and `Host` headers and answer CORS requests before you
 * call `fetch`.
 *
 * @param options The sessions, and the classes of the SDK.
 * @throws {InvalidArgumentError} If an option is invalid, or if the sessions
 * have a handler.
 *
 * @example
 * ```ts
 * import { InMemorySessions } from "@crossmcp/session-manager";
 * import { createSdkHandler } from "@crossmcp/session-manager/sdk";
 * import {
 *   createMcpHandler,
 *   McpServer,
 *   WebStandardStreamableHTTPServerTransport,
 * } from "@modelcontextprotocol/server";
 *
 * await using sessions = new InMemorySessions({ streams: { replay: {} } });
 * const handler = createSdkHandler({
 *   sessions,
 *   createServer: () => {
 *     const server = new McpServer({ name: "example", version: "1.0.0" });
 *     server.registerTool(
 *       "greet",
 *       {},
 *       () => ({ content: [{ type: "text", text: "Hello" }] }),
 *     );
 *     return server;
 *   },
 *   Transport: WebStandardStreamableHTTPServerTransport,
 *   createMcpHandler,
 * });
 * const response = await handler.fetch(new Request("http://localhost/mcp"));
 * console.log(response.status); // 400: no session ID
 * ```
 */
export function createSdkHandler<Transport extends SdkTransport>(
  options: SdkHandlerOptions<Transport>,
): SdkHandler {
  const hosting = assertHandlerOptions(options as SdkHandlerOptions);
  const host = new SdkHost(options as SdkHandlerOptions, hosting);
  return {
    fetch: (request, options) => host.fetch(request, options),
    stats: () => host.stats(),
    close: (options) => host.close(options),
    [Symbol.asyncDispose]: () => host.close(),
  };
}
