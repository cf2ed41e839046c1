import {
  ClosedError,
  InvalidArgumentError,
  SessionLimitError,
} from "../errors.ts";
import { formatValue } from "../format_value.ts";
import type { CloseOptions, ResetReason } from "../contracts/options.ts";
import {
  resolveCloseOptions,
  type StreamSettings,
} from "../contracts/resolve_options.ts";
import { assertSessionId } from "../protocol/session_id.ts";
import { formatSseEvent, splitSseFrames, withSseId } from "../protocol/sse.ts";
import type { StreamStats } from "../contracts/stats.ts";
import type { StreamCallbacks } from "./stream_failures.ts";
import { assertController } from "./controllers.ts";
import { Drain } from "./drain.ts";
import { type PendingStream, PendingStreams } from "./pending_streams.ts";
import { LocalStreams } from "./local_streams.ts";
import {
  EMPTY_START,
  type EventHistory,
  formatReset,
  noResets,
  planStreamStart,
} from "./stream_start.ts";
import type { BroadcastId } from "../replay/entry.ts";
import type { ReplayLog } from "../replay/replay_log.ts";
import {
  isBroadcast,
  NOBODY,
  recipientsOf,
  type SendTarget,
} from "../replay/recipients.ts";
import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../runtime/scheduler.ts";

/** Callbacks of a {@linkcode StreamEngine}. */
export interface EngineCallbacks extends StreamCallbacks {
  readonly onReset: (id: string, reason: ResetReason) => void;
}

const encoder = new TextEncoder();

/** Where an engine finds the events that clients have missed. */
export interface EventSources<Log extends ReplayLog> {
  /** The replay log of this process, to which the engine appends. */
  readonly log?: Log | undefined;
  /** The history of events, if it is stored elsewhere. */
  readonly history?: EventHistory | undefined;
}

/** The streams of this process and the replay log. All backends use it. */
export class StreamEngine<Log extends ReplayLog = ReplayLog> {
  readonly #streams: LocalStreams;
  readonly #pending = new PendingStreams();
  readonly #maxSessions: number;
  readonly #callbacks: EngineCallbacks;
  readonly #scheduler: Scheduler;
  #log: Log | undefined;
  readonly #externalHistory: EventHistory | undefined;
  readonly #logTask: PeriodicTask;
  #replayed = 0;
  readonly #resets = noResets();
  #isClosed = false;
  #drain: Drain | undefined;

  constructor(
    settings: StreamSettings,
    callbacks: EngineCallbacks,
    scheduler: Scheduler,
    { log, history }: EventSources<Log> = {},
  ) {
    this.#log = log;
    this.#externalHistory = history;
    this.#maxSessions = settings.maxSessions;
    this.#callbacks = callbacks;
    this.#scheduler = scheduler;
    this.#streams = new LocalStreams(settings, callbacks, scheduler);
    this.#logTask = {
      periodMs: checkPeriodFor(settings.replay?.maxAgeMs ?? Infinity),
      run: (now) => this.#trimLog(now),
    };
  }

  /** The replay log, if there is one. */
  get log(): Log | undefined {
    return this.#log;
  }

  /** Returns whether a session has a stream here. */
  has(id: string): boolean {
    return this.#streams.get(id) !== undefined;
  }

  /** Returns the intent of a session's next stream, if there is one. */
  pendingStream(id: string): PendingStream | undefined {
    return this.#pending.peek(id);
  }

  /** Returns the same, and removes it unless it is persistent. */
  takePendingStream(id: string): PendingStream | undefined {
    return this.#pending.take(id);
  }

  /**
   * Attaches a stream, replacing the session's older one.
   *
   * @param id The session ID.
   * @param controller The controller of the stream.
   * @param transport The transport that it belongs to.
   */
  create(
    id: string,
    controller: ReadableStreamDefaultController,
    transport?: string,
  ): void {
    this.assertCanAttach(id, controller);
    const older = this.#streams.get(id);
    if (older === controller) return;
    if (older === undefined) this.#assertCapacity(id);
    const intent = this.#pending.take(id);
    const history = this.#log ?? this.#externalHistory;
    const start = history === undefined || intent === undefined
      ? EMPTY_START
      : planStreamStart(
        id,
        { ...intent, transport },
        history,
        this.#scheduler.now(),
      );
    this.#streams.attach(id, controller, start, transport);
    const attached = this.#streams.sinkable(id);
    if (attached !== undefined) intent?.onAttach?.(attached);
    const { replayed, reset } = start;
    this.#replayed += replayed;
    if (reset === undefined) return;
    this.#resets[reset]++;
    this.#callbacks.onReset(id, reset);
  }

  /**
   * Throws if a stream can't be attached for reasons other than `maxSessions`.
   */
  assertCanAttach(id: unknown, controller: unknown): void {
    assertSessionId(id);
    assertController(controller);
    this.#assertOpen();
  }

  /** Prepares the next `create` of a session. The result revokes it. */
  prepareStream(id: string, intent: PendingStream): () => void {
    assertSessionId(id);
    this.#assertOpen();
    if (this.#streams.get(id) === undefined) this.#assertCapacity(id);
    return this.#pending.add(id, { ...intent });
  }

  /** Ends the stream of a session. What it holds can still be read. */
  delete(id: string): void {
    this.#streams.end(id);
  }

  /**
   * Ends the stream of a session because it has a newer one on another node.
   */
  replace(id: string): void {
    this.#streams.replace(id);
    this.#drain?.replace(id);
  }

  /**
   * Writes a frame, and appends it to the replay log. The arguments must be
   * valid.
   *
   * @param target The recipients.
   * @param data The frame.
   * @param broadcastId Identifies a broadcast, if there are several nodes.
   */
  send(target: SendTarget, data: string, broadcastId?: BroadcastId): void {
    if (data === "") return;
    const recipients = recipientsOf(target);
    if (recipients === NOBODY) return;
    const log = this.#log;
    if (log === undefined) {
      return this.#streams.send(recipients, data);
    }
    const now = this.#scheduler.now();
    this.startTrimming();
    for (const eventText of splitSseFrames(data)) {
      const frame = withSseId(eventText, log.nextEventId);
      const bytes = encoder.encode(frame);
      log.append(recipients, bytes, now, broadcastId);
      this.#streams.send(recipients, frame, bytes);
    }
  }

  /**
   * Writes a frame without appending it to the replay log.
   *
   * @param target The recipients.
   * @param data The frame.
   * @param isExcluded Returns whether a session does not get it.
   */
  deliver(
    target: SendTarget,
    data: string,
    isExcluded?: (id: string) => boolean,
  ): void {
    if (isExcluded === undefined) {
      return this.#streams.send(recipientsOf(target), data);
    }
    const ids = isBroadcast(target) ? this.#streams.idsFor(target) : target;
    this.#streams.send(new Set(ids.filter((id) => !isExcluded(id))), data);
  }

  /**
   * Tells the clients of open streams that they have missed events.
   *
   * @param sessions The sessions; `undefined` for everyone.
   * @param eventId The event after which they continue, if it is known.
   * @param reason Why the events are missing.
   */
  reset(
    sessions: readonly string[] | undefined,
    eventId: string | undefined,
    reason: ResetReason,
  ): void {
    const ids = [...sessions ?? this.#streams.ids()].filter((id) =>
      this.has(id)
    );
    this.#streams.send(new Set(ids), formatReset(eventId, reason));
    this.countResets(reason, ids);
  }

  /** Counts resets that were sent to open streams, and reports them. */
  countResets(reason: ResetReason, ids?: readonly string[]): void {
    for (const id of [...ids ?? this.#streams.ids()]) {
      if (!this.has(id)) continue;
      this.#resets[reason]++;
      this.#callbacks.onReset(id, reason);
    }
  }

  /** Trims the log from now on: something was appended to it directly. */
  startTrimming(): void {
    this.#scheduler.start(this.#logTask);
  }

  /** Returns how many bytes a reader has not read; undefined without a stream. */
  queuedBytes(id: string): number | undefined {
    return this.#streams.queuedBytesOf(id);
  }

  /** Returns the counters. */
  stats(): StreamStats {
    return {
      attached: this.#streams.size,
      delivered: this.#streams.delivered,
      queuedBytes: this.#streams.queuedBytes(),
      evicted: this.#streams.evicted,
      replayed: this.#replayed,
      resets: { ...this.#resets },
    };
  }

  /** Ends every stream, at once or one by one, and accepts no new ones. */
  async close(options?: CloseOptions): Promise<void> {
    const { drainMs, retryMs } = resolveCloseOptions(options);
    this.#isClosed = true;
    if (drainMs > 0 && this.#drain === undefined) {
      this.#streams.writeToAll(formatSseEvent({ retry: retryMs }));
      this.#drain = new Drain(this.#streams, drainMs);
    } else if (drainMs === 0) {
      this.#drain?.finish();
      for (const id of [...this.#streams.ids()]) this.#streams.end(id);
    }
    await this.#drain?.done;
    this.#log = undefined;
    this.#scheduler.stop(this.#logTask);
  }

  #trimLog(now: number): void {
    this.#log?.trim(now);
    if (this.#log?.isEmpty) this.#scheduler.stop(this.#logTask);
  }

  #assertOpen(): void {
    if (!this.#isClosed) return;
    throw new ClosedError(
      "This stream manager is closed. Create a new one to attach streams.",
    );
  }

  #assertCapacity(id: string): void {
    if (this.#maxSessions === Infinity) return;
    let taken = this.#streams.size;
    for (const intent of this.#pending.ids()) {
      // A slot is already reserved for it.
      if (intent === id) return;
      if (this.#streams.get(intent) === undefined) taken++;
    }
    if (taken < this.#maxSessions) return;
    throw new SessionLimitError(this.#maxSessions);
  }
}

/** Throws if something can't be sent. */
export function assertMessage(sessions: unknown, data: unknown): void {
  if (typeof data !== "string") {
    throw new InvalidArgumentError(
      "data",
      `"data" must be a string, but got ${formatValue(data)}. ` +
        "Format it first, for example with `formatSseEvent`.",
    );
  }
  if (sessions !== undefined && !Array.isArray(sessions)) {
    throw new InvalidArgumentError(
      "sessions",
      `"sessions" must be an array of session IDs, or undefined for everyone, but got ` +
        `${formatValue(sessions)}.`,
    );
  }
}
