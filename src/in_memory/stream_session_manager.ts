import { describe } from "../describe.ts";
import { ClosedError, DeliveryError, SessionLimitError } from "../errors.ts";
import { InvalidArgumentError } from "../errors.ts";
import {
  reporter,
  type ReportingOptions,
  resolveStreamOptions,
  type StreamOptions,
} from "../options.ts";
import { assertSessionId } from "../session_id.ts";
import { StreamSessionManager } from "../stream_session_manager.ts";

/** Options of an {@linkcode InMemoryStreamSessionManager}. */
export interface InMemoryStreamSessionManagerOptions
  extends StreamOptions, ReportingOptions {}

/**
 * Holds the streams of this process.
 *
 * A text is encoded once and its bytes are shared by every stream it goes to, so
 * read them, and copy them before you change or transfer them. A byte stream gets
 * a copy of its own. What a `send` costs depends on the sessions it names, not on
 * those it does not.
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
  readonly #attached: Map<string, Attached> = new Map();
  readonly #encoder = new TextEncoder();
  readonly #maxSessions: number;
  readonly #report: (error: Error) => void;
  #closed = false;

  /**
   * Makes a manager without streams.
   *
   * @param options Limits, and where failures are reported.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(options?: InMemoryStreamSessionManagerOptions) {
    super();
    this.#maxSessions = resolveStreamOptions(options).maxSessions;
    this.#report = reporter(options?.onError);
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
    if (this.#closed) {
      throw new ClosedError(
        "This manager of streams is closed. Make a new one to attach streams.",
      );
    }
    const older = this.#attached.get(id);
    if (older?.controller === controller) return;
    if (older === undefined && this.#attached.size >= this.#maxSessions) {
      throw new SessionLimitError(this.#maxSessions);
    }
    const isByteStream = isByteController(controller);
    this.#attached.set(id, { id, controller, isByteStream });
    if (older !== undefined) supersede(older);
  }

  /**
   * Detaches a session and closes its stream. What the stream holds can still be
   * read. An unknown id changes nothing.
   *
   * @param id The session.
   */
  override delete(id: string): void {
    const stream = this.#attached.get(id);
    if (stream === undefined) return;
    this.#attached.delete(id);
    end(stream.controller);
  }

  /**
   * Tells whether a stream is attached to a session.
   *
   * @param id The session.
   */
  override has(id: string): Promise<boolean> {
    return Promise.resolve(this.#attached.has(id));
  }

  /**
   * Writes the same text to sessions, as UTF-8 (lone surrogates become U+FFFD).
   * Unknown ids are ignored, an id that is named twice gets the text once. A
   * stream that takes no more data is removed and reported to `onError`; the
   * others get theirs.
   *
   * @param sessions The sessions; `undefined` means everyone, `[]` nobody.
   * @param data One or more complete SSE frames. Nothing is written for `""`.
   * @throws {InvalidArgumentError} When `data` is no string or `sessions` neither
   * an array nor `undefined`; nobody got anything then.
   */
  override send(sessions: string[] | undefined, data: string): void {
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
    if (data === "" || this.#attached.size === 0) return;
    const failures: DeliveryError[] = [];
    if (sessions === undefined) {
      // Those that are attached now: a stream may attach others while it takes
      // data, and would be the one to decide when this ends.
      let left = this.#attached.size;
      const bytes = this.#encoder.encode(data);
      for (const stream of this.#attached.values()) {
        if (left-- === 0) break;
        this.#deliver(stream, bytes, failures);
      }
    } else {
      let bytes: Uint8Array<ArrayBuffer> | undefined;
      for (const id of sessions.length > 1 ? new Set(sessions) : sessions) {
        const stream = this.#attached.get(id);
        if (stream === undefined) continue;
        bytes ??= this.#encoder.encode(data);
        this.#deliver(stream, bytes, failures);
      }
    }
    for (const failure of failures) this.#report(failure);
  }

  /**
   * Closes every stream; what they hold can still be read. A later `create` is
   * refused, everything else finds no session. Calling it again changes nothing.
   */
  close(): Promise<void> {
    this.#closed = true;
    const streams = [...this.#attached.values()];
    this.#attached.clear();
    for (const { controller } of streams) end(controller);
    return Promise.resolve();
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #deliver(
    stream: Attached,
    bytes: Uint8Array<ArrayBuffer>,
    failures: DeliveryError[],
  ): void {
    try {
      // A byte stream takes the buffer away from whoever holds it.
      stream.controller.enqueue(stream.isByteStream ? bytes.slice() : bytes);
    } catch (cause) {
      const { id } = stream;
      // What the stream ran while it took the data may have replaced it.
      if (this.#attached.get(id) === stream) this.#attached.delete(id);
      failures.push(
        new DeliveryError(
          `The stream of session ${describe(id)} takes no more data and was ` +
            "removed.",
          { cause, sessionId: id },
        ),
      );
    }
  }
}

/** The stream of a session. */
interface Attached {
  readonly id: string;
  readonly controller: ReadableStreamDefaultController;
  readonly isByteStream: boolean;
}

function isByteController(
  controller: object,
): controller is ReadableByteStreamController {
  return "byobRequest" in controller;
}

/** Closes a stream; what it holds can still be read. */
function end(controller: ReadableStreamDefaultController): void {
  try {
    controller.close();
    // A reader that waits with a buffer of its own gets it back, or waits forever.
    if (isByteController(controller)) controller.byobRequest?.respond(0);
  } catch {
    // Closed, errored or cancelled already: it has ended, which is what we want.
  }
}

/**
 * Ends a stream for good. One that holds unread data stays open after `close`
 * until the last of it is read, and cancelling it then would run the source's
 * `cancel`, which deletes the session by its id, the newer stream's included.
 * `error` does nothing to a stream that `close` has ended.
 */
function supersede({ id, controller }: Attached): void {
  end(controller);
  controller.error(
    new ClosedError(`Session ${describe(id)} has a newer stream.`),
  );
}

function assertController(
  value: unknown,
): asserts value is ReadableStreamDefaultController {
  const controller = value as Partial<ReadableStreamDefaultController> | null;
  if (
    typeof controller !== "object" || controller === null ||
    typeof controller.enqueue !== "function" ||
    typeof controller.close !== "function" ||
    typeof controller.error !== "function"
  ) {
    throw new InvalidArgumentError(
      "controller",
      `${describe(value)} is no stream controller. Pass the one that a ` +
        'ReadableStream hands to "start".',
    );
  }
}
