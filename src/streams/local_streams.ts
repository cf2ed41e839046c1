import { formatValue } from "../format_value.ts";
import { DeliveryError } from "../errors.ts";
import type { EvictionReason } from "../contracts/options.ts";
import type { StreamSettings } from "../contracts/resolve_options.ts";
import { formatSseComment } from "../protocol/sse.ts";
import { type StreamCallbacks, StreamFailures } from "./stream_failures.ts";
import { FanOut } from "./fan_out.ts";
import type { StreamStart } from "./stream_start.ts";
import { sessionIdOf } from "../replay/request_key.ts";
import type { Recipients, TransportStreams } from "../replay/recipients.ts";
import { ReplacementBrake } from "./replacement_brake.ts";
import { StreamRegistry } from "./stream_registry.ts";
import { SessionStream } from "./session_stream.ts";
import type { SinkableStream } from "./output/sink_handover.ts";
import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../runtime/scheduler.ts";

const encoder = new TextEncoder();
const KEEP_ALIVE = encoder.encode(formatSseComment("keep-alive"));

/**
 * The streams of this process: attaches, writes to, checks and removes them.
 */
export class LocalStreams implements PeriodicTask {
  readonly periodMs: number;
  readonly #attached: StreamRegistry;
  readonly #settings: StreamSettings;
  readonly #callbacks: StreamCallbacks;
  readonly #scheduler: Scheduler;
  readonly #fanOut: FanOut;
  readonly #brake = new ReplacementBrake();
  #isRunning = false;
  /** Calls of `send` that were made while streams were being written to. */
  readonly #deferredSends: (() => void)[] = [];
  readonly #evicted: Record<EvictionReason, number> = { bytes: 0, age: 0 };

  constructor(
    settings: StreamSettings,
    callbacks: StreamCallbacks,
    scheduler: Scheduler,
  ) {
    this.#settings = settings;
    this.#callbacks = callbacks;
    this.#scheduler = scheduler;
    this.#attached = new StreamRegistry(settings.maxUnreadBytes);
    this.periodMs = checkPeriodFor(settings.maxUnreadMs, settings.keepAliveMs);
    this.#fanOut = new FanOut(this.#attached, settings, {
      now: () => this.#now(),
      fail: (...failed) => this.#fail(...failed),
      evict: (...evicted) => this.#evict(...evicted),
      flush: (streams) =>
        this.#run((failures) => {
          for (const stream of streams) this.#flush(stream, failures);
        }),
    });
  }

  /** How many sessions have a stream. */
  get size(): number {
    return this.#attached.size;
  }

  /** How many frames were written to streams. */
  get delivered(): number {
    return this.#fanOut.delivered;
  }

  /** How many readers were evicted. */
  get evicted(): Record<EvictionReason, number> {
    return { ...this.#evicted };
  }

  /** How many bytes are unread. Visits every stream. */
  queuedBytes(): number {
    const now = this.#scheduler.now();
    let bytes = 0;
    for (const stream of this.#attached.values()) {
      bytes += stream.queuedBytes(now);
    }
    return bytes;
  }

  /** How many bytes of a session are unread; undefined without a stream. */
  queuedBytesOf(id: string): number | undefined {
    return this.#attached.get(id)?.queuedBytes(this.#scheduler.now());
  }

  /** Returns the controller of a session's stream. */
  get(id: string): ReadableStreamDefaultController | undefined {
    return this.#attached.get(id)?.controller;
  }

  /** Returns the stream of a session, to give it a sink. */
  sinkable(id: string): SinkableStream | undefined {
    return this.#attached.get(id);
  }

  /**
   * Attaches a stream, replacing the session's older one.
   *
   * @param id The session ID.
   * @param controller The controller of the stream.
   * @param start What it begins with.
   * @param transport The transport that it belongs to.
   */
  attach(
    id: string,
    controller: ReadableStreamDefaultController,
    { chunks, replacesPending }: StreamStart,
    transport?: string,
  ): void {
    const now = this.#scheduler.now();
    const replaced = this.#attached.get(id);
    const error = replaced && this.#brake.record(id);
    const stream = new SessionStream(
      id,
      controller,
      this.#attached.fastPath,
      now,
    );
    stream.transport = transport;
    this.#attached.set(stream);
    this.#scheduler.start(this);
    this.#run((failures) => {
      try {
        if (replaced !== undefined && !replacesPending) {
          stream.inheritPending(replaced, now);
        }
        for (const chunk of this.#brake.start(id)) stream.write(chunk, now);
        for (const chunk of chunks) stream.write(chunk, now);
      } catch (cause) {
        this.#fail(stream, cause, failures);
      }
      if (error !== undefined) failures.add(error);
    });
    if (replaced === undefined) return;
    replaced.drop();
    replaced.endReplaced(id);
  }

  /**
   * Ends the stream of a session. What it holds can still be read.
   *
   * @returns The stream, if it holds anything.
   */
  end(id: string): SessionStream | undefined {
    const stream = this.#attached.get(id);
    if (stream === undefined) return undefined;
    this.#attached.delete(stream);
    // Failing to write to a client that disconnected is not an error.
    this.#run((failures) => this.#flush(stream, failures, isOver));
    const hasData = stream.queuedBytes(this.#scheduler.now()) > 0;
    stream.end(this.#settings.maxUnreadMs);
    if (this.#attached.size === 0) this.#scheduler.stop(this);
    this.#callbacks.onDetach?.(id);
    return hasData ? stream : undefined;
  }

  /**
   * Ends the stream of a session because it has a newer one on another node.
   */
  replace(id: string): void {
    const stream = this.#attached.get(id);
    if (stream === undefined) return;
    const error = this.#brake.record(id);
    this.end(id);
    stream.endReplaced(id);
    if (error !== undefined) this.#run((failures) => failures.add(error));
  }

  /** The sessions that a broadcast is for. */
  idsFor(target: TransportStreams | undefined): string[] {
    const ids: string[] = [];
    for (const { id, transport } of this.#attached.values()) {
      if (target === undefined || target.transport === transport) ids.push(id);
    }
    return ids;
  }

  /** The session IDs, in the order in which they were attached. */
  ids(): IterableIterator<string> {
    return this.#attached.ids();
  }

  /**
   * Writes a frame.
   *
   * @param recipients Whose streams.
   * @param data The frame.
   * @param encoded Its bytes, if they were encoded before.
   */
  send(
    recipients: Recipients,
    data: string,
    encoded?: Uint8Array<ArrayBuffer>,
  ): void {
    if (this.#isRunning) {
      // Called by a stream that is being written to: the current frame goes to
      // all others first.
      this.#deferredSends.push(() => this.send(recipients, data, encoded));
    } else {this.#run((failures) =>
        this.#fanOut.send(recipients, data, encoded, failures)
      );}
  }

  /** Writes to every stream at once, whatever is unread. */
  writeToAll(data: string): void {
    const bytes = encoder.encode(data);
    const now = this.#scheduler.now();
    this.#run((failures) => {
      for (const stream of [...this.#attached.values()]) {
        this.#flush(stream, failures);
        this.#write(stream, bytes, now, failures);
      }
    });
  }

  /** Sends keep-alive comments to idle streams, and evicts slow readers. */
  run(now: number): void {
    const { keepAliveMs, maxUnreadMs } = this.#settings;
    this.#attached.refresh(now);
    this.#run((failures) => {
      for (const stream of this.#attached.values()) {
        if (now - stream.unreadSince(now) >= maxUnreadMs) {
          this.#evict(stream, "age", failures);
        } else if (stream.isIdle(now, keepAliveMs)) {
          this.#write(stream, KEEP_ALIVE, now, failures);
        }
      }
    });
  }

  /** Writes to streams, and reports failures afterwards. */
  #run(write: (failures: StreamFailures) => void): void {
    const failures = new StreamFailures(this.#callbacks);
    const isNested = this.#isRunning;
    this.#isRunning = true;
    try {
      write(failures);
    } finally {
      this.#isRunning = isNested;
    }
    if (!isNested) {
      this.#attached.compact();
      while (this.#deferredSends.length > 0) this.#deferredSends.shift()!();
    }
    failures.report();
  }

  /** The scheduler's clock stands still while it has no tasks. */
  #now(): number {
    return this.periodMs === Infinity
      ? Date.now() & 0x3fff_ffff
      : this.#scheduler.now();
  }

  #write(
    stream: SessionStream,
    bytes: Uint8Array<ArrayBuffer>,
    now: number,
    failures: StreamFailures,
  ): void {
    try {
      stream.write(bytes, now);
    } catch (cause) {
      this.#fail(stream, cause, failures);
    }
  }

  #flush(
    stream: SessionStream,
    failures: StreamFailures,
    isExpected: (stream: SessionStream) => boolean = () => false,
  ): void {
    try {
      stream.flush(this.#now());
    } catch (cause) {
      if (!isExpected(stream)) this.#fail(stream, cause, failures);
    }
  }

  #fail(
    stream: SessionStream,
    cause: unknown,
    failures: StreamFailures,
  ): void {
    this.#remove(stream);
    failures.failed(stream.id, cause);
  }

  #evict(
    stream: SessionStream,
    reason: EvictionReason,
    failures: StreamFailures,
  ): void {
    const { id } = stream;
    const sessionId = sessionIdOf(id);
    this.#remove(stream);
    this.#evicted[reason]++;
    failures.evicted(id, reason);
    stream.abort(
      new DeliveryError(
        `The reader of session ${
          formatValue(sessionId)
        } is too slow, so its stream was aborted.`,
        { sessionId },
      ),
    );
  }

  #remove(stream: SessionStream): void {
    // Code that ran during a write may have replaced the stream.
    if (this.#attached.get(stream.id) !== stream) return;
    this.#attached.delete(stream);
    stream.drop();
    if (this.#attached.size === 0) this.#scheduler.stop(this);
    this.#callbacks.onDetach?.(stream.id);
  }
}

/**
 * Returns whether a stream was closed, which is also the case if its reader
 * cancelled.
 */
function isOver({ controller }: SessionStream): boolean {
  return controller.desiredSize === 0;
}
