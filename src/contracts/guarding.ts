/** Answers a request, as the `respond` of tmcp's transports does. */
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
   * Who sends the request, for example the subject of an access token that was
   * verified before; up to 1,024 characters. A session belongs to whoever began
   * it, and to everyone else it does not exist.
   *
   * @default undefined everyone is the same
   */
  readonly principal?: string | undefined;
}

/** What a client says of the stream that it asks for. */
export interface StreamRequest {
  readonly lastEventId: string | undefined;
  /** Whether it expects an event without data, or only ignores it under a name. */
  readonly prime: true | "named";
}

/** What a guard needs to know of the sessions it guards, whatever keeps them. */
export interface SessionGate {
  /**
   * Whether a session exists and is that principal's; asking is a use of it.
   *
   * @throws {ClusterError} When that cannot be said now.
   */
  authorize(
    id: string,
    principal: string | undefined,
  ): boolean | Promise<boolean>;
  /**
   * Notes a new session. Answers false where the id is another principal's.
   *
   * @throws {SessionLimitError | ClosedError} When it cannot be.
   */
  register(
    id: string,
    principal: string | undefined,
  ): boolean | Promise<boolean>;
  /**
   * Prepares for the stream of a session; the result takes that back.
   *
   * @throws {SessionLimitError | ClosedError} When there is no place for it.
   */
  prepareStream(
    id: string,
    stream: StreamRequest,
  ): (() => void) | Promise<() => void>;
}
