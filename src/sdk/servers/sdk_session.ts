import type { Sessions } from "../../contracts/sessions.ts";
import { SESSION_HEADER } from "../../http/headers.ts";
import type {
  SdkRequestOptions,
  SdkServer,
  SdkTransport,
  SdkTransportClass,
} from "../sdk_types.ts";
import { StandaloneStream } from "./standalone_stream.ts";

/** What an {@linkcode SdkSession} is made of. */
export interface SdkSessionParts<Transport extends SdkTransport> {
  readonly sessionId: string;
  readonly server: SdkServer<Transport>;
  readonly Transport: SdkTransportClass<Transport>;
  readonly enableJsonResponse: boolean;
  readonly keepAliveMs: number;
}

/**
 * A session of this node: a server and its transport. The transport answers the
 * POST requests of the client. What the server sends on its own is read from the
 * standalone stream of the transport, which no client is connected to, and sent
 * to the session.
 */
export class SdkSession<Transport extends SdkTransport = SdkTransport> {
  readonly sessionId: string;
  readonly #server: SdkServer<Transport>;
  readonly #transport: Transport;
  #standalone: Response | undefined;
  #isClosed = false;
  /** Called when the server or its transport was closed, by whomever. */
  onClose: () => void = () => {};

  /** @param parts Its parts. Connect it before anything else. */
  constructor(
    { sessionId, server, Transport, ...options }: SdkSessionParts<Transport>,
  ) {
    this.sessionId = sessionId;
    this.#server = server;
    this.#transport = new Transport({
      ...options,
      sessionIdGenerator: () => sessionId,
      // Nothing that the server sends later is lost.
      onsessioninitialized: () => this.#openStandaloneStream(),
    });
  }

  /** Whether an `initialize` request was accepted. */
  get hasBegun(): boolean {
    return this.#standalone !== undefined;
  }

  /** Connects the server and its transport. */
  async connect(): Promise<void> {
    this.#transport.onclose = () => {
      this.#isClosed = true;
      this.onClose();
    };
    await this.#server.connect(this.#transport);
  }

  /** Lets the transport answer a request. */
  respond(request: Request, options: SdkRequestOptions): Promise<Response> {
    return this.#transport.handleRequest(request, options);
  }

  /**
   * Sends what the server sends on its own to the session, from now on and what
   * it has sent already.
   */
  start(streams: Sessions["streams"], report: (error: Error) => void): void {
    const body = this.#standalone?.body;
    if (!body) return;
    new StandaloneStream(this.sessionId, streams, report).read(body);
  }

  /** Closes the server and its transport. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#server.close();
    } finally {
      // A server that was not connected does not close it.
      await this.#transport.close();
    }
  }

  async #openStandaloneStream(): Promise<void> {
    const request = new Request("http://localhost/", {
      headers: {
        accept: "text/event-stream",
        [SESSION_HEADER]: this.sessionId,
      },
    });
    this.#standalone = await this.#transport.handleRequest(request);
  }
}
