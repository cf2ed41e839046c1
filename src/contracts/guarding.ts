import type { TimeLimit } from "../runtime/deadline.ts";
import type { RefusalReason } from "./refusal_reason.ts";

/** Answers a request, like `respond` of tmcp's transports. */
export type Respond = (
  request: Request,
) =>
  | Response
  | null
  | undefined
  | Promise<Response | null | undefined>;

/** Options of `guard`. */
export interface GuardOptions {
  /**
   * The authenticated user, for example the subject of a verified access token;
   * up to 1,024 characters. A session belongs to the user that began it. For
   * all others it looks like an unknown session.
   *
   * @default undefined all clients count as the same user
   */
  readonly principal?: string | undefined;
}

/** What a client says about the stream that it requests. */
export interface StreamRequest {
  readonly lastEventId: string | undefined;
  /**
   * Whether the client expects a priming event without data, or only ignores
   * one with a name.
   */
  readonly prime: true | "named";
}

/** Who may use a session, and which events are the first that are for it. */
export interface SessionRegistration {
  /** The principal that began the session. */
  readonly principal: string | undefined;
  /** The newest event at that time; `undefined` without replay. */
  readonly startEventId: string | undefined;
}

/**
 * The kind of a transport: Streamable HTTP, or HTTP with SSE (2024-11-05),
 * whose streams begin their sessions.
 */
export type StreamTransport = "streamable" | "sse";

/** A stream that a transport is about to create. */
export interface PreparedStream {
  /** Called with the response of the transport. */
  onResponse(response: Response): void;
  /** Revokes the preparation. */
  revoke(): void;
}

/** A POST request of a session. */
export interface PostRequest {
  readonly sessionId: string;
  readonly request: Request;
  /** The transport. */
  readonly respond: Respond;
  /** The form of the first event of the response, which has only an ID. */
  readonly prime: StreamRequest["prime"];
  /** The message and the body, if they were read. */
  readonly message?: unknown;
  readonly body?: string | undefined;
}

/** Keeps the responses to requests for clients that disconnect. */
export interface RequestGate {
  /**
   * Whether the messages of POST requests must be known: other nodes may wait
   * for them.
   */
  readonly isShared: boolean;
  /** Returns whether a session has as many open requests as it may have. */
  isFull(sessionId: string): boolean;
  /**
   * Lets a transport answer a POST request, or hands it to the node that waits
   * for its message. With replay, a response that is an event stream goes on
   * when the client disconnects, and its events get IDs.
   */
  respond(post: PostRequest): Promise<Response | null | undefined>;
  /**
   * Connects a client to the event stream of a request again. Resolves with
   * `null` if it has received the complete response, and with `undefined` if
   * the session has no such request, or no longer.
   *
   * @param sessionId The session ID.
   * @param lastEventId The last event that the client received.
   * @param prime The form of the first event, which has only an ID.
   */
  resume(
    sessionId: string,
    lastEventId: string,
    prime: StreamRequest["prime"],
  ): Promise<ReadableStream<Uint8Array> | null | undefined>;
  /** Aborts all requests of a session. */
  endSession(sessionId: string): void;
}

/** Counts the requests of each client that are being answered. */
export interface RequestCounts {
  /** Returns whether a client has as many as it may have. */
  isFull(client: string): boolean;
  /**
   * Counts a request until it is answered, or until its response has ended.
   *
   * @param client Whose request it is.
   * @param answer Answers it.
   * @param goesOn Returns whether a response counts until its end.
   * @returns The response, with a body that passes the other one on without a
   * buffer.
   */
  counted(
    client: string,
    answer: () => Promise<Response>,
    goesOn: (response: Response) => boolean,
  ): Promise<Response>;
}

/** What single clients may hold on this node. */
export interface ClientLimits {
  /** How fast principals begin sessions. */
  readonly rate: {
    /** Returns whether a principal may not begin a session now. */
    isExhausted(principal: string | undefined): boolean;
    /** Counts a new session. Returns false if it is one too many. */
    take(principal: string | undefined): boolean;
  };
  /** The requests of principals without a session. */
  readonly streams: RequestCounts;
  /** The requests of sessions, if there are no {@linkcode RequestGate}. */
  readonly requests: RequestCounts;
  /** Waits for bodies, but not for ever. */
  readonly bodies: TimeLimit;
}

/**
 * What a guard needs to know about sessions, independent of where they are
 * stored.
 */
export interface SessionGate {
  /**
   * Called when a transport has answered a GET request with an event stream.
   */
  readonly onStream?: ((transport: StreamTransport) => void) | undefined;
  /** How long a JSON body may be, in bytes; Infinity for no limit. */
  readonly maxBodyBytes: number;
  /** What single clients may hold. */
  readonly limits: ClientLimits;
  /** Called with each request that was refused. */
  readonly onRefuse: (
    reason: RefusalReason,
    principal: string | undefined,
  ) => void;
  /** Deletes what a transport has stored of a session that was refused. */
  forget(id: string): void | Promise<void>;
  /** The open requests; undefined in one process without replay. */
  readonly requests?: RequestGate | undefined;
  /**
   * Returns the registration of a session, if the session exists and belongs to
   * the principal. Counts as use of the session.
   *
   * @throws {ClusterError} If nobody can tell at the moment.
   */
  authorize(
    id: string,
    principal: string | undefined,
  ): Promise<SessionRegistration | undefined>;
  /**
   * Returns whether `sessions.end` has ended a session that was authorized a
   * moment ago.
   */
  isGone(id: string): boolean;
  /**
   * Registers a new session. Returns false if the ID belongs to another
   * principal.
   *
   * @throws {SessionLimitError | ClosedError} If no session can be added.
   * @throws {LimitError} If its client exceeds a limit.
   */
  register(
    id: string,
    principal: string | undefined,
  ): boolean | Promise<boolean>;
  /**
   * Prepares the stream of a session.
   *
   * @param id The session ID.
   * @param registration The result of `authorize`.
   * @param stream What the client says about the stream.
   * @throws {SessionLimitError | ClosedError} If no stream can be added.
   */
  prepareStream(
    id: string,
    registration: SessionRegistration,
    stream: StreamRequest,
  ): PreparedStream;
}
