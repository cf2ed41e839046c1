/**
 * Holds the long-lived streams of sessions and writes to them.
 *
 * This is the contract; a backend extends it. Its signatures are those of
 * `@tmcp/session-manager` 0.3.0, so an instance fits wherever tmcp's transports
 * expect theirs, and the other way round.
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
   * Attaches a stream to a session. The latest stream wins: one that is attached
   * already is closed.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param controller The controller of the stream to write to.
   * @throws {InvalidArgumentError} For an id or a controller that is none.
   * @throws {SessionLimitError} When the manager's limit is reached.
   * @throws {ClosedError} After the manager was closed.
   */
  abstract create(
    id: string,
    controller: ReadableStreamDefaultController,
  ): void | Promise<void>;

  /**
   * Detaches a session and closes its stream. What the stream holds can still be
   * read. An unknown id changes nothing.
   *
   * @param id The session.
   */
  abstract delete(id: string): void | Promise<void>;

  /**
   * Tells whether a stream is attached to a session.
   *
   * @param id The session.
   */
  abstract has(id: string): boolean | Promise<boolean>;

  /**
   * Writes the same text to sessions, as UTF-8. Unknown ids are ignored, an id
   * that is named twice gets the text once, and a stream that takes no more data
   * is removed without affecting the others.
   *
   * @param sessions The sessions; `undefined` means everyone, `[]` nobody.
   * @param data One or more complete SSE frames.
   * @throws {InvalidArgumentError} When `data` is no string or `sessions` neither
   * an array nor `undefined`; nobody got anything then.
   */
  abstract send(
    sessions: string[] | undefined,
    data: string,
  ): void | Promise<void>;
}
