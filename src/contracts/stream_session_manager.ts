/**
 * Holds the long-lived streams of sessions and writes to them.
 *
 * This is the contract; each backend extends it. Its signatures are those of
 * `@tmcp/session-manager` 0.3.0, so the classes are interchangeable.
 *
 * @example Write to one session, then to everyone
 * ```ts
 * import { InMemoryStreamSessionManager } from "@crossmcp/session-manager";
 *
 * const streams = new InMemoryStreamSessionManager();
 * const body = new ReadableStream({
 *   start: (controller) => streams.create("session-1", controller),
 *   cancel: () => streams.delete("session-1"),
 * });
 * streams.send(["session-1"], "data: for you\n\n");
 * streams.send(undefined, "data: for everyone\n\n");
 * await body.cancel();
 * ```
 */
export abstract class StreamSessionManager {
  /**
   * Attaches a stream to a session. If the session has one, the new stream
   * replaces it, and the old one is closed.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param controller The controller of the stream to write to.
   * @throws {InvalidArgumentError} If the ID or the controller is invalid.
   * @throws {SessionLimitError} If `maxSessions` is reached.
   * @throws {ClosedError} If the manager was closed.
   */
  abstract create(
    id: string,
    controller: ReadableStreamDefaultController,
  ): void | Promise<void>;

  /**
   * Detaches a session and closes its stream. What the stream holds can still
   * be read. Does nothing if the ID is unknown.
   *
   * @param id The session ID.
   */
  abstract delete(id: string): void | Promise<void>;

  /**
   * Returns whether a stream is attached to a session.
   *
   * @param id The session ID.
   */
  abstract has(id: string): boolean | Promise<boolean>;

  /**
   * Writes a frame to sessions, as UTF-8. Unknown session IDs are ignored, a
   * repeated ID gets the frame once, and a stream that fails is removed without
   * affecting the others.
   *
   * This is the low-level call of the contract: the text is sent unchanged, and
   * clients only see what has the form of an SSE event. `send(undefined,
   * "hello")` vanishes without a trace. To send a notification, use
   * `Sessions.notify`; to write a frame yourself, `formatSseEvent`.
   *
   * @param sessions The session IDs; `undefined` for everyone, `[]` for nobody.
   * @param data One or more complete SSE frames.
   * @throws {InvalidArgumentError} If `data` is not a string, or `sessions` is
   * neither an array nor `undefined`. Nothing was written.
   */
  abstract send(
    sessions: string[] | undefined,
    data: string,
  ): void | Promise<void>;
}
