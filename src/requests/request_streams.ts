import type { ResetReason } from "../contracts/options.ts";
import type { StreamSettings } from "../contracts/resolve_options.ts";
import type { StreamStats } from "../contracts/stats.ts";
import { withSseId } from "../protocol/sse.ts";
import { sessionIdOf } from "../replay/request_key.ts";
import type { ReplayLog, Resumption } from "../replay/replay_log.ts";
import type { Scheduler } from "../runtime/scheduler.ts";
import { LocalStreams } from "../streams/local_streams.ts";
import { linkBody } from "../streams/output/sink_handover.ts";
import type { StreamIntent } from "../streams/pending_streams.ts";
import type { StreamCallbacks } from "../streams/stream_failures.ts";
import {
  EMPTY_START,
  formatPriming,
  noResets,
  planStreamStart,
} from "../streams/stream_start.ts";
import {
  formatRequestEventId,
  parseRequestEventId,
} from "./request_event_id.ts";

/** Callbacks of {@linkcode RequestStreams}. */
export interface RequestStreamCallbacks extends StreamCallbacks {
  readonly onReset: (sessionId: string, reason: ResetReason) => void;
}

const encoder = new TextEncoder();

/**
 * The event streams of requests: the connections of their clients, and the
 * events in the replay log. Limits, keep-alive and the joining of frames are
 * those of all streams.
 */
export class RequestStreams {
  readonly #streams: LocalStreams;
  /** The events. */
  readonly log: ReplayLog;
  readonly #callbacks: RequestStreamCallbacks;
  readonly #scheduler: Scheduler;
  /** How many frames were not written to a stream, but to a client. */
  #held = 0;
  #replayed = 0;
  readonly #resets = noResets();

  constructor(
    settings: StreamSettings,
    log: ReplayLog,
    callbacks: RequestStreamCallbacks,
    scheduler: Scheduler,
  ) {
    this.#streams = new LocalStreams(settings, callbacks, scheduler);
    this.log = log;
    this.#callbacks = callbacks;
    this.#scheduler = scheduler;
  }

  /** Formats the first event of the response to a request. */
  formatPriming(key: string, prime: StreamIntent["prime"]): string {
    return formatPriming(
      formatRequestEventId(this.log.latestEventId, key),
      prime,
    );
  }

  /**
   * Opens the stream of a request.
   *
   * @param key The key of the request.
   * @param start What it begins with.
   */
  open(key: string, start: string): ReadableStream<Uint8Array> {
    const chunks = start === "" ? [] : [encoder.encode(start)];
    return this.#connect(
      key,
      (controller) =>
        this.#streams.attach(key, controller, { ...EMPTY_START, chunks }),
    );
  }

  /**
   * Connects a client to the stream of a request again. It gets the events after
   * the last one that it has received, and all later ones.
   */
  resume(key: string, intent: StreamIntent): ReadableStream<Uint8Array> {
    return this.#connect(
      key,
      (controller) => this.#attach(key, controller, intent),
    );
  }

  #connect(
    key: string,
    attach: (controller: ReadableStreamDefaultController<Uint8Array>) => void,
  ): ReadableStream<Uint8Array> {
    let controller: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (given) => attach(controller = given),
      cancel: () => {
        // The client may have reconnected meanwhile.
        if (this.#streams.get(key) === controller) this.end(key);
      },
    });
    linkBody(body, { stream: this.#streams.sinkable(key) });
    return body;
  }

  /** Returns whether a client lacks events of a request. */
  hasMissed(key: string, lastEventId: string): boolean {
    const missed = this.#missed({ session: key, lastEventId });
    return typeof missed === "string" || missed.length > 0;
  }

  /**
   * Writes a frame, and appends it to the log.
   *
   * @param key The key of the request.
   * @param frame The frame.
   * @param isHeld Whether the caller writes it to the client instead.
   * @returns The ID of the event, and the frame with it.
   */
  send(
    key: string,
    frame: string,
    isHeld: boolean,
  ): { id: string; frame: string } {
    const id = formatRequestEventId(this.log.nextEventId, key);
    const frameWithId = withSseId(frame, id);
    const bytes = encoder.encode(frameWithId);
    this.log.append(key, bytes, this.#scheduler.now());
    if (isHeld) this.#held++;
    else this.#streams.send(key, frameWithId, bytes);
    return { id, frame: frameWithId };
  }

  /** Ends the connection to a client. What it holds can still be read. */
  end(key: string): void {
    this.#streams.end(key);
  }

  /** Drops old events. */
  trim(now: number): void {
    this.log.trim(now);
  }

  /** Forgets a request whose events were dropped. */
  forget(key: string): void {
    this.log.forgetRequest(key);
  }

  /** Returns the counters. Visits every stream. */
  stats(): Omit<StreamStats, "attached"> {
    return {
      delivered: this.#streams.delivered + this.#held,
      queuedBytes: this.#streams.queuedBytes(),
      evicted: this.#streams.evicted,
      replayed: this.#replayed,
      resets: { ...this.#resets },
    };
  }

  #attach(
    key: string,
    controller: ReadableStreamDefaultController,
    intent: StreamIntent,
  ): void {
    const log = this.log;
    const start = planStreamStart(
      key,
      intent,
      {
        latestEventId: formatRequestEventId(log.latestEventId, key),
        after: (resumption) => this.#missed(resumption),
      },
      this.#scheduler.now(),
    );
    this.#streams.attach(key, controller, start);
    this.#replayed += start.replayed;
    if (start.reset === undefined) return;
    this.#resets[start.reset]++;
    this.#callbacks.onReset(sessionIdOf(key), start.reset);
  }

  /** Returns the events that a client has missed, or why they are missing. */
  #missed(
    resumption: Resumption,
  ): Uint8Array<ArrayBuffer>[] | ResetReason {
    const { logEventId: lastEventId = "" } =
      parseRequestEventId(resumption.lastEventId) ?? {};
    const now = this.#scheduler.now();
    return this.log.after({ ...resumption, lastEventId }, now);
  }
}
