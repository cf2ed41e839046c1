import type {
  HostedCall,
  SessionHost,
  SessionHosting,
} from "../contracts/hosting.ts";
import type { CloseOptions } from "../contracts/options.ts";
import { resolveCloseOptions } from "../contracts/resolve_options.ts";
import { InvalidArgumentError } from "../errors.ts";
import { assertGuardArguments } from "../http/guard_arguments.ts";
import { SESSION_HEADER, VERSION_HEADER } from "../http/headers.ts";
import { isPerRequest } from "../http/protocol_version.ts";
import { errorResponse, refusalResponse } from "../http/refusals.ts";
import { readMessage, withKnownBody } from "../http/request_body.ts";
import { isSessionId } from "../protocol/session_id.ts";
import {
  type InitializeParams,
  initializeParams,
  isPerRequestMessage,
} from "./messages.ts";
import {
  assertFetchOptions,
  type SdkFetchOptions,
  type SdkHandlerOptions,
  type SdkHandlerStats,
} from "./options.ts";
import { PerRequestHandler } from "./per_request_handler.ts";
import { callerOf, RemoteHost, requestOf } from "./remote_host.ts";
import { openStream, unsupportedVersion } from "./responses.ts";
import type { SdkSession } from "./servers/sdk_session.ts";
import { serverEventBus } from "./server_event_bus.ts";
import { SessionServers } from "./servers/session_servers.ts";
import { storeChange } from "./servers/session_state.ts";
import type { SdkRequestOptions } from "./sdk_types.ts";

/** A request, and the session that it has begun. */
interface Exchange {
  readonly caller: SdkFetchOptions;
  begun?: { readonly session: SdkSession; readonly params: InitializeParams };
}

/** Answers the requests of clients with the servers of this node, or others. */
export class SdkHost implements SessionHost {
  readonly #options: SdkHandlerOptions;
  readonly #hosting: SessionHosting;
  readonly #servers: SessionServers;
  readonly #remote: RemoteHost | undefined;
  readonly #perRequest: PerRequestHandler | undefined;
  #isDraining = false;

  /**
   * @param options The options of the handler.
   * @param hosting What is known about its sessions.
   * @throws {InvalidArgumentError} If the sessions have a host.
   */
  constructor(options: SdkHandlerOptions, hosting: SessionHosting) {
    this.#options = options;
    this.#hosting = hosting;
    this.#servers = new SessionServers(options, hosting);
    if (!hosting.setHost(this)) {
      throw new InvalidArgumentError(
        "sessions",
        '"sessions" have a handler already. Use one handler for all paths, ' +
          "or create other sessions.",
      );
    }
    const { shared } = hosting;
    this.#remote = shared && new RemoteHost(hosting, shared);
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
    assertGuardArguments(request, () => null, { principal: caller.principal });
    const given = withParsedBody(request, caller.parsedBody);
    const id = this.#remote && this.#sessionElsewhere(given);
    if (!this.#remote || !id) return this.#answerHere(given, caller);
    const forwarded = await this.#remote.forward(
      id,
      given,
      caller,
      async () =>
        given.method === "DELETE" || await this.#servers.rebuild(id, caller),
    );
    return forwarded.response ?? this.#answerHere(forwarded.request, caller);
  }

  async answer(call: HostedCall): Promise<Response | undefined> {
    if (this.#isDraining || this.#servers.isClosed) return undefined;
    const caller = callerOf(call);
    const id = call.session;
    if (this.#servers.get(id) === undefined) {
      // An earlier process of this name may have had the server.
      if (!await this.#hosting.shared?.isHost(id)) return undefined;
      if (!await this.#servers.rebuild(id, caller)) return undefined;
    }
    return this.#answerHere(requestOf(call), caller);
  }

  hosts(id: string): boolean {
    return !this.#isDraining && this.#servers.get(id) !== undefined;
  }

  onHostedElsewhere(id: string): void {
    this.#servers.retire(id);
  }

  /** Returns the counters. */
  stats(): SdkHandlerStats {
    const forwarded = this.#remote?.forwarded ?? 0;
    return { ...this.#servers.stats, forwarded };
  }

  /** Closes all servers, at once or when they have answered their requests. */
  async close(options?: Pick<CloseOptions, "drainMs">): Promise<void> {
    const { drainMs } = resolveCloseOptions(options);
    this.#isDraining = true;
    if (drainMs > 0) await this.#servers.drain(drainMs);
    await Promise.all([this.#perRequest?.close(), this.#servers.close()]);
  }

  onClose(): Promise<void> {
    return this.close();
  }

  /** Returns the session of a request that needs its server, unless it is here. */
  #sessionElsewhere({ method, headers }: Request): string | undefined {
    if (method !== "POST" && method !== "DELETE") return undefined;
    const id = headers.get(SESSION_HEADER);
    if (id === null || !isSessionId(id)) return undefined;
    const version = headers.get(VERSION_HEADER);
    if (isPerRequest(version) || this.#servers.isClosed) return undefined;
    return this.#servers.get(id) === undefined ? id : undefined;
  }

  /** Answers a request on this node. */
  async #answerHere(
    request: Request,
    caller: SdkFetchOptions,
  ): Promise<Response> {
    const exchange: Exchange = { caller };
    let isAdmitted = false;
    try {
      const response = await this.#options.sessions.guard(
        request,
        (request) => this.#respond(request, exchange),
        { principal: caller.principal },
      );
      const { begun } = exchange;
      if (begun === undefined) return response;
      const { sessionId } = begun.session;
      // Otherwise, the guard has refused it.
      isAdmitted = response.ok &&
        response.headers.get(SESSION_HEADER) === sessionId;
      if (isAdmitted) await this.#servers.admit(begun.session, begun.params);
      return response;
    } finally {
      if (!isAdmitted) await this.#servers.closeServer(exchange.begun?.session);
    }
  }

  /** Answers a request that the guard lets pass. */
  async #respond(request: Request, exchange: Exchange): Promise<Response> {
    if (this.#servers.isClosed) {
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
    const read = await readMessage(request, this.#hosting);
    if (read.isSlow) return refusalResponse("slowBody");
    const { message } = read;
    // The transport needs no body if it gets the message.
    const given = message === undefined ? read.copy : request;
    const { authInfo } = exchange.caller;
    const options: SdkRequestOptions = {
      // Without it, the transport reads the body, and says what is wrong.
      ...message !== undefined && { parsedBody: message },
      ...authInfo && { authInfo },
    };
    if (id !== null) return this.#callServer(id, given, message, options);
    const params = initializeParams(message);
    if (params !== undefined) {
      return this.#begin(params, given, options, exchange);
    }
    return this.#perRequest && isPerRequestMessage(message)
      ? this.#perRequest.fetch(read.copy, exchange.caller)
      : this.#refuse(read.copy);
  }

  async #callServer(
    id: string,
    request: Request,
    message: unknown,
    options: SdkRequestOptions,
  ): Promise<Response> {
    const session = this.#servers.get(id);
    if (session === undefined) {
      // It could not be created again: the reason was reported.
      return errorResponse(503, -32000, "Service Unavailable: no server");
    }
    const { info } = this.#options.sessions;
    const stored = storeChange(info, id, message);
    const response = await session.respond(request, options);
    await stored;
    return response;
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
      session = await this.#servers.create(
        generateSessionId(),
        exchange.caller,
      );
      const response = await session.respond(request, options);
      if (session.hasBegun) exchange.begun = { session, params };
      return response;
    } catch (error) {
      this.#hosting.report(error as Error);
      return errorResponse(500, -32603, "Internal error");
    } finally {
      if (exchange.begun === undefined) {
        await this.#servers.closeServer(session);
      }
    }
  }

  async #delete(id: string, request: Request): Promise<Response> {
    const response = await this.#servers.get(id)?.respond(request, {}) ??
      new Response(null, { status: 200 });
    if (response.ok) await this.#servers.end(id);
    return response;
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
  return withKnownBody(new Request(url, { method, headers, signal, body }), {
    text: body,
    message: parsedBody,
  });
}
