import { safeCallback } from "../runtime/callbacks.ts";
import type {
  CloseOptions,
  ErrorReportingOptions,
  StreamEventOptions,
  StreamOptions,
} from "../contracts/options.ts";
import {
  objectOption,
  resolveStreamOptions,
} from "../contracts/resolve_options.ts";
import type { StreamStats } from "../contracts/stats.ts";
import { StreamSessionManager } from "../contracts/stream_session_manager.ts";
import type { StreamIntent } from "../streams/pending_streams.ts";
import { StreamEngine } from "../streams/stream_engine.ts";
import { sharedScheduler } from "../runtime/scheduler.ts";

/** Options of an {@linkcode InMemoryStreamSessionManager}. */
export interface InMemoryStreamSessionManagerOptions
  extends StreamOptions, ErrorReportingOptions, StreamEventOptions {}

/**
 * Holds the streams of this process.
 *
 * A text is encoded once and its bytes are shared by every stream it goes to, so
 * read them, and copy them before you change or transfer them. A byte stream gets
 * a copy of its own. What a `send` costs depends on the sessions it names, not on
 * those it does not.
 *
 * The first text that an idle stream gets within a turn of the event loop is written
 * at once; what follows within that turn leaves as one chunk at its end, see
 * `coalesce`. A reader that falls behind is given up, see `backlog`; no sender ever
 * waits for one.
 *
 * @example
 * ```ts
 * import { InMemoryStreamSessionManager } from "@crossmcp/session-manager";
 *
 * const streams = new InMemoryStreamSessionManager({ maxSessions: 10_000 });
 * const body = new ReadableStream({
 *   start: (controller) => streams.create("session-1", controller),
 *   cancel: () => streams.delete("session-1"),
 * });
 * streams.send(undefined, "event: message\ndata: {}\n\n");
 * await streams.close();
 * console.log(await new Response(body).text());
 * ```
 */
export class InMemoryStreamSessionManager extends StreamSessionManager
  implements AsyncDisposable {
  readonly #engine: StreamEngine;

  /**
   * Makes a manager without streams.
   *
   * @param options Limits, and who is told of what.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(options?: InMemoryStreamSessionManagerOptions) {
    super();
    const { onError, onEvict, onReset } = objectOption("options", options);
    this.#engine = new StreamEngine(resolveStreamOptions(options), {
      onError: safeCallback("onError", onError),
      onEvict: safeCallback("onEvict", onEvict),
      onReset: safeCallback("onReset", onReset),
    }, sharedScheduler(this));
  }

  /**
   * Attaches a stream to a session. The latest stream wins: an older one of the
   * session is closed, or broken off where its reader is so far behind that it
   * has not read all it was sent. That way a late cancel of the older stream
   * cannot reach the newer one.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param controller The controller of the stream to write to.
   * @throws {InvalidArgumentError} For an id or a controller that is none.
   * @throws {SessionLimitError} When `maxSessions` streams are attached already.
   * @throws {ClosedError} After {@linkcode close}.
   */
  override create(
    id: string,
    controller: ReadableStreamDefaultController,
  ): void {
    this.#engine.create(id, controller);
  }

  /**
   * Prepares for the next `create` of a session: it may replace a stream that is
   * attached, and can continue where an earlier one broke off. Until then, or until
   * it is taken back, {@linkcode has} answers false for the session, because tmcp's
   * transports refuse a second stream; the stream that is attached goes on. A
   * session without a stream gets a place kept free.
   *
   * `sessions.guard` does this for every GET.
   *
   * @param id The session.
   * @param expectation What is known of the stream.
   * @returns Takes it back, if no stream was created.
   * @throws {InvalidArgumentError} For an id that is none.
   * @throws {SessionLimitError} When `maxSessions` streams are attached already.
   * @throws {ClosedError} After {@linkcode close}.
   */
  prepareStream(id: string, expectation: StreamIntent = {}): () => void {
    return this.#engine.prepareStream(id, expectation);
  }

  /**
   * The id of the newest event, for `since` of {@linkcode prepareStream}; `undefined`
   * without replay.
   */
  get latestEventId(): string | undefined {
    return this.#engine.log?.latestEventId;
  }

  /**
   * Detaches a session and closes its stream. What the stream holds can still be
   * read. An unknown id changes nothing.
   *
   * @param id The session.
   */
  override delete(id: string): void {
    this.#engine.delete(id);
  }

  /**
   * Tells whether a stream is attached to a session, other than one that is
   * expected to be replaced.
   *
   * @param id The session.
   */
  override has(id: string): Promise<boolean> {
    return Promise.resolve(
      this.#engine.has(id) && this.#engine.pendingStream(id) === undefined,
    );
  }

  /**
   * Writes the same text to sessions, as UTF-8 (lone surrogates become U+FFFD).
   * Unknown ids are ignored, an id that is named twice gets the text once. A
   * stream that takes no more data is removed and reported to `onError`, one whose
   * reader is too far behind is broken off and reported to `onEvict`; the others
   * get theirs.
   *
   * @param sessions The sessions; `undefined` means everyone, `[]` nobody.
   * @param data One or more complete SSE frames. Nothing is written for `""`.
   * @throws {InvalidArgumentError} When `data` is no string or `sessions` neither
   * an array nor `undefined`; nobody got anything then.
   */
  override send(sessions: string[] | undefined, data: string): void {
    this.#engine.send(sessions, data);
  }

  /** What was counted so far. It costs a look at each stream. */
  stats(): StreamStats {
    return this.#engine.stats();
  }

  /**
   * Closes every stream, at once or little by little. A later `create` is refused,
   * everything else finds no session. Calling it again changes nothing, or ends
   * what a drain has left.
   *
   * @param options Whether to take time for it.
   * @throws {InvalidArgumentError} For an option that is out of range; as a
   * rejected promise.
   */
  close(options?: CloseOptions): Promise<void> {
    return this.#engine.close(options);
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
