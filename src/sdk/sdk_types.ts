/**
 * The parts of the official SDK that this package uses, as structural types:
 * both major versions fit, and neither is a dependency.
 *
 * @module
 */

/** What is known of the caller; the same as `AuthInfo` of the SDK. */
export interface SdkAuthInfo {
  /** The access token. */
  token: string;
  /** The OAuth client. */
  clientId: string;
  /** The scopes of the token. */
  scopes: string[];
  /** When the token expires, in seconds since the epoch. */
  expiresAt?: number;
  /** The resource that the token is for (RFC 8707). */
  resource?: URL;
  /** Anything else. */
  extra?: Record<string, unknown>;
}

/** Options of a request to a transport. */
export interface SdkRequestOptions {
  /** The body, if it was read and parsed. */
  parsedBody?: unknown;
  /** What is known of the caller. */
  authInfo?: SdkAuthInfo;
}

/** Options of {@linkcode SdkTransportClass} that this package sets. */
export interface SdkTransportOptions {
  /** Returns the ID of the session. */
  sessionIdGenerator: () => string;
  /** Called when the session begins, before its first message is handled. */
  onsessioninitialized: (sessionId: string) => Promise<void>;
  /** Whether responses are JSON instead of event streams. */
  enableJsonResponse: boolean;
  /** How often to send keep-alive comments, in milliseconds; 0 for never. */
  keepAliveMs: number;
}

/** A `WebStandardStreamableHTTPServerTransport` of the SDK, 1.x or 2.x. */
export interface SdkTransport {
  /** Called when the transport was closed. */
  onclose?: () => void;
  /** Answers a request. */
  handleRequest(
    request: Request,
    options?: SdkRequestOptions,
  ): Promise<Response>;
  /** Ends its streams, and the session. */
  close(): Promise<void>;
}

/** The class `WebStandardStreamableHTTPServerTransport`. */
export type SdkTransportClass<Transport extends SdkTransport = SdkTransport> =
  new (options: SdkTransportOptions) => Transport;

/** An `McpServer` or a `Server` of the SDK. */
export interface SdkServer<Transport extends SdkTransport = SdkTransport> {
  /** Attaches the server to its transport. */
  connect(transport: Transport): Promise<void>;
  /** Closes the server and its transport. */
  close(): Promise<void>;
}

/** A change that an SDK server publishes to `subscriptions/listen` streams. */
export type SdkServerEvent =
  & (
    | { kind: "tools_list_changed" }
    | { kind: "prompts_list_changed" }
    | { kind: "resources_list_changed" }
    | { kind: "resource_updated"; uri: string }
  )
  & {
    /** Other parameters of the notification. */
    // The same type as that of the SDK, which has an index signature.
    params?: { [name: string]: unknown };
  };

/** The `ServerEventBus` of the SDK. */
export interface SdkServerEventBus {
  /** Publishes a change to all listeners. */
  publish(event: SdkServerEvent): void;
  /** Adds a listener; the result removes it. */
  subscribe(listener: (event: SdkServerEvent) => void): () => void;
}

/** The `EventStore` of the SDK, 1.x or 2.x. */
export interface SdkEventStore {
  /**
   * Stores a message; resolves with the ID of its event. Never rejects for a
   * message that is serializable as JSON.
   *
   * @param streamId The stream, as the transport names it.
   * @param message The message.
   */
  storeEvent(streamId: string, message: object): Promise<string>;
  /**
   * Calls `send` with each later event of the same stream, in order, and
   * resolves with the ID of the stream.
   *
   * @param lastEventId The last event that the client received.
   * @param target The transport.
   */
  replayEventsAfter(
    lastEventId: string,
    // The messages of the SDK, which knows them better than this package.
    // deno-lint-ignore no-explicit-any
    target: { send: (eventId: string, message: any) => Promise<void> },
  ): Promise<string>;
}

/** Creates the server of one request of the per-request era. */
export type SdkServerFactory = (
  context: { authInfo?: SdkAuthInfo; requestInfo?: Request },
  // The servers of 2.x, which the SDK knows better than this package.
  // deno-lint-ignore no-explicit-any
) => any;

/** What `createMcpHandler` of the SDK returns. */
export interface SdkMcpHandler {
  /** Answers a request. */
  fetch(
    request: Request,
    options?: { authInfo?: SdkAuthInfo },
  ): Promise<Response>;
  /** Ends what is running. */
  close(): Promise<void>;
}

/** The function `createMcpHandler` of the SDK, 2.x. */
export type CreateMcpHandler = (
  factory: SdkServerFactory,
  options?: {
    legacy?: "reject";
    onerror?: (error: Error) => void;
    bus?: SdkServerEventBus;
    maxRequestBodySize?: number;
  },
) => SdkMcpHandler;
