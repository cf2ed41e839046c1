import {
  assertKnownOptions,
  STREAM_OPTIONS,
} from "../contracts/known_options.ts";
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
import { ReplayLog } from "../replay/replay_log.ts";
import { combinedStats } from "../requests/combined_stats.ts";
import { RequestStreams } from "../requests/request_streams.ts";
import { TransportStreamManager } from "../streams/transport_stream_manager.ts";
import { assertMessage, StreamEngine } from "../streams/stream_engine.ts";
import { sharedScheduler } from "../runtime/scheduler.ts";

/**
 * Returns the streams of requests of a stream manager; undefined without
 * replay. The guard needs them, users don't.
 */
export let requestStreamsOf: (
  manager: InMemoryStreamSessionManager,
) => RequestStreams | undefined;

/** Returns the unread bytes of a session; undefined without a stream. */
export let queuedBytesOf: (
  manager: InMemoryStreamSessionManager,
  id: string,
) => number | undefined;

/** Options of an {@linkcode InMemoryStreamSessionManager}. */
export interface InMemoryStreamSessionManagerOptions
  extends StreamOptions, ErrorReportingOptions, StreamEventOptions {}

/**
 * Holds the streams of this process.
 *
 * A frame is encoded once, and all its streams share the bytes: copy them
 * before you change or transfer them. A byte stream gets its own copy. The cost
 * of a `send` depends on its recipients, not on the number of other sessions.
 *
 * The first frame that an idle stream gets within a turn of the event loop is
 * written at once. Later ones are written as one chunk at the end of the turn,
 * see `coalesce`. A slow reader is evicted, see `backlog`; no sender ever waits
 * for one.
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
  static {
    requestStreamsOf = (manager) => manager.#requests;
    queuedBytesOf = (manager, id) => manager.#engine.queuedBytes(id);
  }

  readonly #engine: StreamEngine;
  readonly #requests: RequestStreams | undefined;

  /**
   * Creates a manager without streams.
   *
   * @param options Limits and callbacks.
   * @throws {InvalidArgumentError} If an option is invalid.
   */
  constructor(options?: InMemoryStreamSessionManagerOptions) {
    super();
    assertKnownOptions(options, STREAM_OPTIONS);
    const { onError, onEvict, onReset } = objectOption("options", options);
    const settings = resolveStreamOptions(options);
    const { replay } = settings;
    const log = replay && new ReplayLog(replay);
    const callbacks = {
      onError: safeCallback("onError", onError),
      onEvict: safeCallback("onEvict", onEvict),
      onReset: safeCallback("onReset", onReset),
    };
    const scheduler = sharedScheduler(this);
    this.#engine = new StreamEngine(settings, callbacks, scheduler, { log });
    this.#requests = log &&
      new RequestStreams(settings, log, callbacks, scheduler);
  }

  /**
   * Attaches a stream to a session. If the session has one, the new stream
   * replaces it: the old one is closed, or aborted if it holds unread data, so
   * that a late cancel of the old stream cannot reach the new one.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param controller The controller of the stream to write to.
   * @throws {InvalidArgumentError} If the ID or the controller is invalid.
   * @throws {SessionLimitError} If `maxSessions` is reached.
   * @throws {ClosedError} After {@linkcode close}.
   */
  override create(
    id: string,
    controller: ReadableStreamDefaultController,
  ): void {
    this.#engine.create(id, controller);
  }

  /**
   * Prepares the next `create` of a session: it may replace an attached stream,
   * and can continue where an earlier one was cut. Until then, or until it is
   * revoked, {@linkcode has} returns false for the session, because tmcp's
   * transports refuse a second stream. An attached stream stays attached. For a
   * session without a stream, a slot is reserved.
   *
   * `sessions.guard` does this for every GET.
   *
   * @param id The session ID.
   * @param intent What is known of the stream.
   * @returns Revokes it, if no stream was created.
   * @throws {InvalidArgumentError} If the ID is invalid.
   * @throws {SessionLimitError} If `maxSessions` is reached.
   * @throws {ClosedError} After {@linkcode close}.
   */
  prepareStream(id: string, intent: StreamIntent = {}): () => void {
    return this.#engine.prepareStream(id, intent);
  }

  /**
   * The ID of the newest event, for `startEventId` of
   * {@linkcode prepareStream}; `undefined` without replay.
   */
  get latestEventId(): string | undefined {
    return this.#engine.log?.latestEventId;
  }

  /**
   * Detaches a session and closes its stream. What the stream holds can still
   * be read. Does nothing if the ID is unknown.
   *
   * @param id The session ID.
   */
  override delete(id: string): void {
    this.#engine.delete(id);
  }

  /**
   * Returns whether a stream is attached to a session, and is not about to be
   * replaced.
   *
   * @param id The session ID.
   */
  override has(id: string): Promise<boolean> {
    return Promise.resolve(
      this.#engine.has(id) && this.#engine.pendingStream(id) === undefined,
    );
  }

  /**
   * Writes a frame to sessions, as UTF-8 (lone surrogates become U+FFFD).
   * Unknown session IDs are ignored, and a repeated ID gets the frame once. A
   * stream that fails is removed and reported to `onError`, and a slow reader
   * is evicted and reported to `onEvict`. The other streams are not affected.
   *
   * @param sessions The session IDs; `undefined` for everyone, `[]` for nobody.
   * @param data One or more complete SSE frames. Nothing is written for `""`.
   * @throws {InvalidArgumentError} If `data` is not a string, or `sessions` is
   * neither an array nor `undefined`. Nothing was written.
   */
  override send(sessions: string[] | undefined, data: string): void {
    assertMessage(sessions, data);
    this.#engine.send(sessions, data);
  }

  /**
   * Returns this manager as one transport sees it. A broadcast through it
   * reaches only the streams that were created through a view of that name;
   * everything else is shared. `Sessions.forTransport` describes what for.
   *
   * @param name The name of the transport.
   * @throws {InvalidArgumentError} If the name is not a string, or is empty.
   */
  forTransport(name: string): StreamSessionManager {
    return new TransportStreamManager(name, this, {
      create: (...stream) => this.#engine.create(...stream),
      broadcast: (streams, data) => {
        assertMessage(undefined, data);
        this.#engine.send(streams, data);
      },
    });
  }

  /** Returns the counters. Visits every stream. */
  stats(): StreamStats {
    return combinedStats(this.#engine.stats(), this.#requests);
  }

  /**
   * Closes every stream, at once or one by one. Later calls of `create` are
   * refused, and all others find no session. Calling it again changes nothing,
   * or finishes a drain.
   *
   * @param options Whether to drain.
   * @throws {InvalidArgumentError} If an option is invalid. As a rejected
   * promise.
   */
  close(options?: CloseOptions): Promise<void> {
    return this.#engine.close(options);
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
