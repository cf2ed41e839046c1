import type { SessionHost, SessionHosting } from "../contracts/hosting.ts";
import { InvalidArgumentError } from "../errors.ts";
import { SESSION_HEADER, VERSION_HEADER } from "../http/headers.ts";
import { isPerRequest } from "../http/protocol_version.ts";
import { readMessage } from "../http/request_body.ts";
import type { SdkHandlerStats } from "./host_stats.ts";
import { HostedSessions } from "./hosted_sessions.ts";
import {
  type InitializeParams,
  initializeParams,
  isPerRequestMessage,
} from "./messages.ts";
import {
  assertFetchOptions,
  type SdkFetchOptions,
  type SdkHandlerOptions,
} from "./options.ts";
import { PerRequestHandler } from "./per_request_handler.ts";
import { errorResponse, openStream, unsupportedVersion } from "./responses.ts";
import { SdkSession } from "./sdk_session.ts";
import { deleteSession, storeChange, storeClient } from "./session_state.ts";
import { serverEventBus } from "./server_event_bus.ts";
import type { SdkRequestOptions } from "./sdk_types.ts";

/** How often the SDK's transports send comments, in milliseconds. */
const KEEP_ALIVE_MS = 15_000;

/** A request, and the session that it has begun. */
interface Exchange {
  readonly caller: SdkFetchOptions;
  begun?: { readonly session: SdkSession; readonly params: InitializeParams };
}

/** Holds the servers of this node, and answers requests with them. */
export class SdkHost implements SessionHost {
  readonly #options: SdkHandlerOptions;
  readonly #hosting: SessionHosting;
  readonly #sessions: HostedSessions;
  readonly #perRequest: PerRequestHandler | undefined;
  #begun = 0;
  #isClosed = false;

  /**
   * @param options The options of the handler.
   * @param hosting What is known about its sessions.
   * @throws {InvalidArgumentError} If the sessions have a host.
   */
  constructor(options: SdkHandlerOptions, hosting: SessionHosting) {
    this.#options = options;
    this.#hosting = hosting;
    this.#sessions = new HostedSessions(hosting);
    if (!hosting.setHost(this)) {
      throw new InvalidArgumentError(
        "sessions",
        '"sessions" have a handler already. Use one handler for all paths, ' +
          "or create other sessions.",
      );
    }
    const { createServer, createMcpHandler, sessions } = options;
    this.#perRequest = createMcpHandler && new PerRequestHandler(
      createServer,
      createMcpHandler,
      serverEventBus(sessions),
      hosting,
    );
  }

  /** Answers a request of a client. */
  async fetch(
    request: Request,
    caller: SdkFetchOptions = {},
  ): Promise<Response> {
    assertFetchOptions(caller);
    const exchange: Exchange = { caller };
    let isAdmitted = false;
    try {
      const response = await this.#options.sessions.guard(
        withParsedBody(request, caller.parsedBody),
        (request) => this.#respond(request, exchange),
        { principal: caller.principal },
      );
      const id = exchange.begun?.session.sessionId;
      // Otherwise, the guard has refused it.
      isAdmitted = response.ok && response.headers.get(SESSION_HEADER) === id;
      if (exchange.begun && isAdmitted) await this.#admit(exchange.begun);
      return response;
    } finally {
      if (!isAdmitted) await this.#close(exchange.begun?.session);
    }
  }

  /** Returns the counters. */
  stats(): SdkHandlerStats {
    return { hosted: this.#sessions.size, begun: this.#begun };
  }

  /** Closes all servers. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([
      this.#perRequest?.close(),
      ...this.#sessions.clear().map((session) => this.#close(session)),
    ]);
  }

  onClose(): Promise<void> {
    return this.close();
  }

  /** Answers a request that the guard lets pass. */
  async #respond(request: Request, exchange: Exchange): Promise<Response> {
    if (this.#isClosed) {
      return errorResponse(503, -32000, "Service Unavailable: shutting down");
    }
    const { caller } = exchange;
    const version = request.headers.get(VERSION_HEADER);
    if (version !== null && isPerRequest(version)) {
      return await this.#perRequest?.fetch(request, caller) ??
        unsupportedVersion(version);
    }
    const id = request.headers.get(SESSION_HEADER);
    if (request.method === "POST") return this.#post(id, request, exchange);
    if (id === null) return this.#refuse(request);
    const { streams } = this.#options.sessions;
    if (request.method === "GET") return openStream(streams, id, request);
    return request.method === "DELETE"
      ? this.#delete(id, request)
      : this.#refuse(request);
  }

  async #post(
    id: string | null,
    request: Request,
    exchange: Exchange,
  ): Promise<Response> {
    const { message, copy } = await readMessage(request);
    const { authInfo } = exchange.caller;
    const options: SdkRequestOptions = {
      // Without it, the transport reads the body, and says what is wrong.
      ...message !== undefined && { parsedBody: message },
      ...authInfo && { authInfo },
    };
    if (id !== null) {
      const session = this.#sessions.get(id);
      if (session === undefined) {
        return errorResponse(503, -32000, "Service Unavailable: no server");
      }
      const { info } = this.#options.sessions;
      const stored = storeChange(info, id, message);
      const response = await session.respond(copy, options);
      await stored;
      return response;
    }
    const params = initializeParams(message);
    if (params !== undefined) {
      return this.#begin(params, copy, options, exchange);
    }
    return this.#perRequest && isPerRequestMessage(message)
      ? this.#perRequest.fetch(copy, exchange.caller)
      : this.#refuse(copy);
  }

  /** Begins a session, which the guard may still refuse. */
  async #begin(
    params: InitializeParams,
    request: Request,
    options: SdkRequestOptions,
    exchange: Exchange,
  ): Promise<Response> {
    const { generateSessionId = () => crypto.randomUUID() } = this.#options;
    let session: SdkSession | undefined;
    try {
      session = await this.#create(generateSessionId(), exchange.caller);
      const response = await session.respond(request, options);
      if (session.hasBegun) exchange.begun = { session, params };
      return response;
    } catch (error) {
      this.#hosting.report(error as Error);
      return errorResponse(500, -32603, "Internal error");
    } finally {
      if (exchange.begun === undefined) await this.#close(session);
    }
  }

  async #create(
    sessionId: string,
    { principal, authInfo }: SdkFetchOptions,
  ): Promise<SdkSession> {
    const { createServer, Transport, enableJsonResponse } = this.#options;
    const session = new SdkSession({
      sessionId,
      server: await createServer({ sessionId, principal, authInfo }),
      Transport,
      enableJsonResponse: enableJsonResponse === true,
      // Streams of the sessions have comments of their own.
      keepAliveMs: this.#hosting.keepsResponses ? 0 : KEEP_ALIVE_MS,
    });
    await session.connect();
    return session;
  }

  /** Adds a session that was registered. */
  async #admit(
    { session, params }: Required<Exchange>["begun"],
  ): Promise<void> {
    const { sessions } = this.#options;
    if (this.#isClosed) return this.#close(session);
    const id = session.sessionId;
    session.onClose = () => void this.#onServerClosed(session);
    this.#sessions.add(session);
    this.#begun++;
    session.start(sessions.streams, this.#hosting.report);
    await storeClient(sessions.info, id, params);
  }

  async #delete(id: string, request: Request): Promise<Response> {
    const session = this.#sessions.get(id);
    const response = await session?.respond(request, {}) ??
      new Response(null, { status: 200 });
    if (response.ok) await this.#end(id);
    return response;
  }

  /** A tool of the server has closed it: the session is over. */
  async #onServerClosed(session: SdkSession): Promise<void> {
    if (this.#sessions.has(session)) await this.#end(session.sessionId);
  }

  /** Ends a session, on all nodes. */
  async #end(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#sessions.remove(session);
    await deleteSession(this.#options.sessions, id);
    await this.#close(session);
  }

  async #close(session: SdkSession | undefined): Promise<void> {
    try {
      await session?.close();
    } catch (error) {
      this.#hosting.report(error as Error);
    }
  }

  /** Lets the SDK answer a request that belongs to no session. */
  #refuse(request: Request): Promise<Response> {
    const { Transport } = this.#options;
    return new Transport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: () => Promise.resolve(),
      enableJsonResponse: true,
      keepAliveMs: 0,
    }).handleRequest(request);
  }
}

/** Gives a request its body again, if it was read. */
function withParsedBody(request: Request, parsedBody: unknown): Request {
  if (parsedBody === undefined) return request;
  const { url, method, signal } = request;
  const headers = new Headers(request.headers);
  headers.delete("content-length");
  const body = JSON.stringify(parsedBody);
  return new Request(url, { method, headers, signal, body });
}
