import { callback } from "../callbacks.ts";
import { describe } from "../describe.ts";
import {
  ClosedError,
  InvalidArgumentError,
  SessionLimitError,
} from "../errors.ts";
import type {
  CloseOptions,
  ReaderOptions,
  ReportingOptions,
  ResetReason,
  StreamOptions,
} from "../options.ts";
import {
  optionGroup,
  resolveCloseOptions,
  resolveStreamOptions,
} from "../resolve_options.ts";
import { assertSessionId } from "../session_id.ts";
import { formatSseEvent, splitSseFrames, withSseId } from "../sse.ts";
import type { StreamStats } from "../stats.ts";
import { StreamSessionManager } from "../stream_session_manager.ts";
import { assertController } from "./controllers.ts";
import { Drain } from "./drain.ts";
import { ExpectedStreams, type StreamExpectation } from "./expected_streams.ts";
import { LocalStreams } from "./local_streams.ts";
import { opening, PLAIN } from "./opening.ts";
import { ReplayLog, type Targets } from "./replay_log.ts";
import { periodFor, type Ticker, tickerOf, type Watcher } from "./ticker.ts";

/** Options of an {@linkcode InMemoryStreamSessionManager}. */
export interface InMemoryStreamSessionManagerOptions
  extends StreamOptions, ReportingOptions, ReaderOptions {}

const encoder = new TextEncoder();

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
  readonly #streams: LocalStreams;
  readonly #expected = new ExpectedStreams();
  readonly #maxSessions: number;
  readonly #onReset: (id: string, reason: ResetReason) => void;
  readonly #ticker: Ticker = tickerOf(this);
  #log: ReplayLog | undefined;
  readonly #logWatcher: Watcher;
  #replayed = 0;
  #resets = 0;
  #isClosed = false;
  #drain: Drain | undefined;

  /**
   * Makes a manager without streams.
   *
   * @param options Limits, and who is told of what.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(options?: InMemoryStreamSessionManagerOptions) {
    super();
    const { onError, onEvict, onReset } = optionGroup("options", options);
    const settings = resolveStreamOptions(options);
    this.#maxSessions = settings.maxSessions;
    this.#onReset = callback("onReset", onReset);
    this.#streams = new LocalStreams(settings, {
      onError: callback("onError", onError),
      onEvict: callback("onEvict", onEvict),
    }, this.#ticker);
    const { replay } = settings;
    if (replay !== undefined) this.#log = new ReplayLog(replay);
    this.#logWatcher = {
      periodMs: periodFor(replay?.maxAgeMs ?? Infinity),
      tick: (now) => this.#age(now),
    };
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
    assertSessionId(id);
    assertController(controller);
    this.#assertOpen();
    const older = this.#streams.get(id);
    if (older === controller) return;
    if (older === undefined) this.#assertRoom(id);
    const expected = this.#expected.take(id);
    const start = this.#log === undefined || expected === undefined
      ? PLAIN
      : opening(id, expected, this.#log, this.#ticker.now());
    this.#streams.attach(id, controller, start);
    const { replayed, reset } = start;
    this.#replayed += replayed;
    if (reset === undefined) return;
    this.#resets++;
    this.#onReset(id, reset);
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
  expect(id: string, expectation: StreamExpectation = {}): () => void {
    assertSessionId(id);
    this.#assertOpen();
    if (this.#streams.get(id) === undefined) this.#assertRoom(id);
    return this.#expected.add(id, { ...expectation });
  }

  /**
   * The id of the newest event, for `since` of {@linkcode expect}; `undefined`
   * without replay.
   */
  get position(): string | undefined {
    return this.#log?.position;
  }

  /**
   * Detaches a session and closes its stream. What the stream holds can still be
   * read. An unknown id changes nothing.
   *
   * @param id The session.
   */
  override delete(id: string): void {
    this.#streams.end(id);
  }

  /**
   * Tells whether a stream is attached to a session, other than one that is
   * expected to be replaced.
   *
   * @param id The session.
   */
  override has(id: string): Promise<boolean> {
    return Promise.resolve(
      this.#streams.get(id) !== undefined && !this.#expected.has(id),
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
    assertSendable(sessions, data);
    if (data === "" || sessions?.length === 0) return;
    const targets = targetsOf(sessions);
    const log = this.#log;
    if (log === undefined) {
      return this.#streams.send(targets, data);
    }
    const now = this.#ticker.now();
    this.#ticker.start(this.#logWatcher);
    for (const part of splitSseFrames(data)) {
      const frame = withSseId(part, log.next);
      const bytes = encoder.encode(frame);
      log.append(targets, bytes, now);
      this.#streams.send(targets, frame, bytes);
    }
  }

  /** What was counted so far. It costs a look at each stream. */
  stats(): StreamStats {
    return {
      attached: this.#streams.size,
      delivered: this.#streams.delivered,
      queuedBytes: this.#streams.queuedBytes(),
      evicted: this.#streams.evicted,
      replayed: this.#replayed,
      resets: this.#resets,
    };
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
  async close(options?: CloseOptions): Promise<void> {
    const { drainMs, retryMs } = resolveCloseOptions(options);
    this.#isClosed = true;
    this.#log = undefined;
    this.#ticker.stop(this.#logWatcher);
    if (drainMs > 0 && this.#drain === undefined) {
      this.#streams.announce(formatSseEvent({ retry: retryMs }));
      this.#drain = new Drain(this.#streams, drainMs);
    } else if (drainMs === 0) {
      this.#drain?.finish();
      for (const id of [...this.#streams.ids()]) this.#streams.end(id);
    }
    await this.#drain?.done;
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #age(now: number): void {
    this.#log?.purge(now);
    if (this.#log?.isEmpty) this.#ticker.stop(this.#logWatcher);
  }

  #assertOpen(): void {
    if (!this.#isClosed) return;
    throw new ClosedError(
      "This manager of streams is closed. Make a new one to attach streams.",
    );
  }

  #assertRoom(id: string): void {
    if (this.#maxSessions === Infinity) return;
    let taken = this.#streams.size;
    for (const expected of this.#expected.ids()) {
      // Its place is kept free.
      if (expected === id) return;
      if (this.#streams.get(expected) === undefined) taken++;
    }
    if (taken < this.#maxSessions) return;
    throw new SessionLimitError(this.#maxSessions);
  }
}

function assertSendable(sessions: unknown, data: unknown): void {
  if (typeof data !== "string") {
    throw new InvalidArgumentError(
      "data",
      `Only strings can be sent, not ${describe(data)}. ` +
        "Turn it into an SSE frame first.",
    );
  }
  if (sessions !== undefined && !Array.isArray(sessions)) {
    throw new InvalidArgumentError(
      "sessions",
      `"sessions" has to be an array of ids, or undefined for everyone, not ` +
        `${describe(sessions)}.`,
    );
  }
}

function targetsOf(sessions: string[] | undefined): Targets {
  const [only] = sessions?.length === 1 ? sessions : [];
  // What is no string is nobody's id, and must not be taken for everyone.
  return typeof only === "string" ? only : sessions && new Set(sessions);
}
