import type { MessageTarget } from "./message_target.ts";

/** A POST request of a client whose message is about an open request. */
export interface ForwardedMessage {
  readonly sessionId: string;
  readonly target: MessageTarget;
  readonly request: Request;
  /** The body of the request, which was read. */
  readonly body: string;
}

/** A GET request of a client for the rest of a response. */
export interface ResumeRequest {
  readonly sessionId: string;
  readonly lastEventId: string;
  /** The form of the first event, which has only an ID. */
  readonly prime: true | "named";
}

/**
 * The open requests of other nodes. This is a port, for backends with several
 * nodes.
 */
export interface RemoteRequests {
  /**
   * Hands a message to the node with the request it is about.
   *
   * @returns The response of the transport there; undefined if there is no such
   * node.
   */
  deliver(message: ForwardedMessage): Promise<Response | undefined>;
  /**
   * Connects to the event stream of a request, on the node that works on it.
   *
   * @returns The stream, which fails if that node dies; `null` if the client
   * has the complete response, and `undefined` if no node has the request.
   */
  resume(
    request: ResumeRequest,
  ): Promise<ReadableStream<Uint8Array> | null | undefined>;
}

/** The open requests of this node, as other nodes use them. */
export interface LocalRequests {
  /** Returns whether a request of a session waits for a message. */
  awaits(sessionId: string, target: MessageTarget): boolean;
  /** Returns whether the session has the request of an event ID here. */
  hasRequest(sessionId: string, eventId: string): boolean;
  /** Hands a message to the transport that works on the request. */
  deliver(
    message: Omit<ForwardedMessage, "body">,
  ): Promise<Response | undefined>;
  /**
   * Connects to the event stream of a request: `null` if the client has the
   * complete response, and `undefined` if the request is unknown.
   */
  resumeHere(
    request: ResumeRequest,
  ): ReadableStream<Uint8Array> | null | undefined;
}
