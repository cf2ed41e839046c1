import { formatValue } from "../runtime/describe.ts";
import { DeliveryError } from "../errors.ts";
import type { EvictionReason } from "../contracts/options.ts";
import type { StreamSettings } from "../contracts/resolve_options.ts";
import { formatSseComment } from "../protocol/sse.ts";
import { type StreamCallbacks, StreamFailures } from "./stream_failures.ts";
import { closeController, replaceController } from "./controllers.ts";
import { FanOut } from "./fan_out.ts";
import type { StreamStart } from "./stream_start.ts";
import type { Recipients } from "../replay/recipients.ts";
import { StreamRegistry } from "./stream_registry.ts";
import { SessionStream } from "./session_stream.ts";
import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../runtime/scheduler.ts";

const encoder = new TextEncoder();
const KEEP_ALIVE = encoder.encode(formatSseComment("keep-alive"));

/**
 * The streams of this process: writes to them, turn by turn, looks after those that
 * are idle or behind, and gives up those that fail.
 */
export class LocalStreams implements PeriodicTask {
  readonly periodMs: number;
  readonly #attached: StreamRegistry;
  readonly #settings: StreamSettings;
  readonly #listeners: StreamCallbacks;
  readonly #ticker: Scheduler;
  readonly #fanOut: FanOut;
  #isRunning = false;
  /** What streams sent while they were written to. */
  readonly #deferredSends: (() => void)[] = [];
  readonly #evicted: Record<EvictionReason, number> = { bytes: 0, age: 0 };

  constructor(
    settings: StreamSettings,
    listeners: StreamCallbacks,
    ticker: Scheduler,
  ) {
    this.#settings = settings;
    this.#listeners = listeners;
    this.#ticker = ticker;
    this.#attached = new StreamRegistry(settings.maxUnreadBytes);
    this.periodMs = checkPeriodFor(settings.maxUnreadMs, settings.keepAliveMs);
    this.#fanOut = new FanOut(this.#attached, settings, {
      now: () => this.#now(),
      fail: (...lost) => this.#fail(...lost),
      evict: (...evicted) => this.#evict(...evicted),
      flush: (streams) =>
        this.#run((casualties) => {
          for (const stream of streams) this.#flush(stream, casualties);
        }),
    });
  }

  /** How many sessions have a stream. */
  get size(): number {
    return this.#attached.size;
  }

  /** How many texts were handed to streams. */
  get delivered(): number {
    return this.#fanOut.delivered;
  }

  /** How many streams were broken off. */
  get evicted(): Record<EvictionReason, number> {
    return { ...this.#evicted };
  }

  /** How many bytes are unread. It costs a look at each stream. */
  queuedBytes(): number {
    const now = this.#ticker.now();
    let bytes = 0;
    for (const stream of this.#attached.values()) {
      bytes += stream.queuedBytes(now);
    }
    return bytes;
  }

  /** The controller of a session's stream. */
  get(id: string): ReadableStreamDefaultController | undefined {
    return this.#attached.get(id)?.controller;
  }

  /** Attaches a stream in the place of the one that a session has. */
  attach(
    id: string,
    controller: ReadableStreamDefaultController,
    { chunks, includesPending }: StreamStart,
  ): void {
    const now = this.#ticker.now();
    const older = this.#attached.get(id);
    const stream = new SessionStream(id, controller, this.#attached, now);
    this.#attached.set(stream);
    this.#ticker.start(this);
    this.#run((casualties) => {
      try {
        if (older !== undefined && !includesPending) {
          stream.inheritPending(older, now);
        }
        for (const chunk of chunks) stream.write(chunk, now);
      } catch (cause) {
        this.#fail(stream, cause, casualties);
      }
    });
    if (older === undefined) return;
    older.drop();
    replaceController(older.controller, id);
  }

  /**
   * Ends the stream of a session; what it holds can still be read.
   *
   * @returns The controller, if it holds anything.
   */
  end(id: string): ReadableStreamDefaultController | undefined {
    const stream = this.#attached.get(id);
    if (stream === undefined) return undefined;
    this.#attached.delete(stream);
    // A client that has left wants nothing any more: that is no failure.
    this.#run((casualties) => this.#flush(stream, casualties, isOver));
    const holds = stream.queuedBytes(this.#ticker.now()) > 0;
    closeController(stream.controller);
    if (this.#attached.size === 0) this.#ticker.stop(this);
    this.#listeners.onDetach?.(id);
    return holds ? stream.controller : undefined;
  }

  /** Ends the stream of a session that has a newer one elsewhere. */
  replace(id: string): void {
    const controller = this.get(id);
    if (controller === undefined) return;
    this.end(id);
    replaceController(controller, id);
  }

  /** The sessions, the one that has been there longest first. */
  ids(): IterableIterator<string> {
    return this.#attached.ids();
  }

  /**
   * Writes a text.
   *
   * @param targets To whom.
   * @param data The text.
   * @param encoded Its bytes, where they are known.
   */
  send(
    targets: Recipients,
    data: string,
    encoded?: Uint8Array<ArrayBuffer>,
  ): void {
    if (this.#isRunning) {
      // A stream sends something while it takes a text: the others get that first.
      this.#deferredSends.push(() => this.send(targets, data, encoded));
    } else this.#run((out) => this.#fanOut.send(targets, data, encoded, out));
  }

  /** Writes to every stream at once, however much is unread. */
  writeToAll(data: string): void {
    const bytes = encoder.encode(data);
    const now = this.#ticker.now();
    this.#run((casualties) => {
      for (const stream of [...this.#attached.values()]) {
        this.#flush(stream, casualties);
        this.#write(stream, bytes, now, casualties);
      }
    });
  }

  /** Looks for streams that are idle, and for those whose readers are too slow. */
  run(now: number): void {
    const { keepAliveMs, maxUnreadMs } = this.#settings;
    this.#attached.refresh(now);
    this.#run((casualties) => {
      for (const stream of this.#attached.values()) {
        if (now - stream.unreadSince(now) >= maxUnreadMs) {
          this.#evict(stream, "age", casualties);
        } else if (stream.isIdle(now, keepAliveMs)) {
          this.#write(stream, KEEP_ALIVE, now, casualties);
        }
      }
    });
  }

  /** Writes to streams, and tells of those that were lost when it is done. */
  #run(write: (casualties: StreamFailures) => void): void {
    const casualties = new StreamFailures(this.#listeners);
    const isNested = this.#isRunning;
    this.#isRunning = true;
    try {
      write(casualties);
    } finally {
      this.#isRunning = isNested;
    }
    if (!isNested) {
      this.#attached.compact();
      while (this.#deferredSends.length > 0) this.#deferredSends.shift()!();
    }
    casualties.report();
  }

  /** The ticker's clock stands still while nothing is watched. */
  #now(): number {
    return this.periodMs === Infinity
      ? Date.now() & 0x3fff_ffff
      : this.#ticker.now();
  }

  #write(
    stream: SessionStream,
    bytes: Uint8Array<ArrayBuffer>,
    now: number,
    casualties: StreamFailures,
  ): void {
    try {
      stream.write(bytes, now);
    } catch (cause) {
      this.#fail(stream, cause, casualties);
    }
  }

  #flush(
    stream: SessionStream,
    casualties: StreamFailures,
    isFine: (stream: SessionStream) => boolean = () => false,
  ): void {
    try {
      stream.flush(this.#now());
    } catch (cause) {
      if (!isFine(stream)) this.#fail(stream, cause, casualties);
    }
  }

  #fail(
    stream: SessionStream,
    cause: unknown,
    casualties: StreamFailures,
  ): void {
    this.#remove(stream);
    casualties.failed(stream.id, cause);
  }

  #evict(
    stream: SessionStream,
    reason: EvictionReason,
    casualties: StreamFailures,
  ): void {
    const { id, controller } = stream;
    this.#remove(stream);
    this.#evicted[reason]++;
    casualties.evicted(id, reason);
    controller.error(
      new DeliveryError(
        `The reader of session ${formatValue(id)} is too far behind.`,
        { sessionId: id },
      ),
    );
  }

  #remove(stream: SessionStream): void {
    // What the stream ran while it took the data may have replaced it.
    if (this.#attached.get(stream.id) !== stream) return;
    this.#attached.delete(stream);
    stream.drop();
    if (this.#attached.size === 0) this.#ticker.stop(this);
    this.#listeners.onDetach?.(stream.id);
  }
}

/** Whether a stream was closed, as it is when its reader cancels. */
function isOver({ controller }: SessionStream): boolean {
  return controller.desiredSize === 0;
}
