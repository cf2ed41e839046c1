import {
  ClosedError,
  InvalidArgumentError,
  SessionLimitError,
} from "../errors.ts";
import { formatValue } from "../runtime/describe.ts";
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
import type { BroadcastId } from "../replay/version_vector.ts";
import {
  EMPTY_START,
  type EventHistory,
  planStreamStart,
} from "./stream_start.ts";
import { type MissedEvents, ReplayLog } from "../replay/replay_log.ts";
import type { Recipients } from "../replay/recipients.ts";
import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../runtime/scheduler.ts";

/** Whom a {@linkcode StreamEngine} tells what became of streams. */
export interface EngineCallbacks extends StreamCallbacks {
  readonly onReset: (id: string, reason: ResetReason) => void;
}

const encoder = new TextEncoder();

/** The streams of this process, and what is kept for those that were cut. */
export class StreamEngine {
  readonly #streams: LocalStreams;
  readonly #pending = new PendingStreams();
  readonly #maxSessions: number;
  readonly #listeners: EngineCallbacks;
  readonly #ticker: Scheduler;
  #log: ReplayLog | undefined;
  /** Where what was sent is kept elsewhere. */
  readonly #externalLog: EventHistory | undefined;
  readonly #logTask: PeriodicTask;
  #replayed = 0;
  #resets = 0;
  #isClosed = false;
  #drain: Drain | undefined;

  constructor(
    settings: StreamSettings,
    listeners: EngineCallbacks,
    ticker: Scheduler,
    elsewhere?: EventHistory,
  ) {
    const { replay } = settings;
    this.#externalLog = elsewhere;
    this.#maxSessions = settings.maxSessions;
    this.#listeners = listeners;
    this.#ticker = ticker;
    this.#streams = new LocalStreams(settings, listeners, ticker);
    if (replay !== undefined) this.#log = new ReplayLog(replay);
    this.#logTask = {
      periodMs: checkPeriodFor(replay?.maxAgeMs ?? Infinity),
      run: (now) => this.#age(now),
    };
  }

  /** What is kept for clients that come back, if anything is. */
  get log(): ReplayLog | undefined {
    return this.#log;
  }

  /** Whether a session has a stream here. */
  has(id: string): boolean {
    return this.#streams.get(id) !== undefined;
  }

  /** What is known of the next stream of a session, if one is expected. */
  pendingStream(id: string): PendingStream | undefined {
    return this.#pending.peek(id);
  }

  /** The same, and it is expected no longer unless it stays. */
  takePendingStream(id: string): PendingStream | undefined {
    return this.#pending.take(id);
  }

  /** Attaches a stream; the latest of a session wins. */
  create(id: string, controller: ReadableStreamDefaultController): void {
    this.assertCanAttach(id, controller);
    const older = this.#streams.get(id);
    if (older === controller) return;
    if (older === undefined) this.#assertCapacity(id);
    const expected = this.#pending.take(id);
    const past = this.#log ?? this.#externalLog;
    const start = past === undefined || expected === undefined
      ? EMPTY_START
      : planStreamStart(id, expected, past, this.#ticker.now());
    this.#streams.attach(id, controller, start);
    const { replayed, reset } = start;
    this.#replayed += replayed;
    if (reset === undefined) return;
    this.#resets++;
    this.#listeners.onReset(id, reset);
  }

  /** Refuses what cannot be attached, whatever is attached already. */
  assertCanAttach(id: unknown, controller: unknown): void {
    assertSessionId(id);
    assertController(controller);
    this.#assertOpen();
  }

  /** Prepares for the next `create` of a session; the result takes that back. */
  prepareStream(id: string, expectation: PendingStream): () => void {
    assertSessionId(id);
    this.#assertOpen();
    if (this.#streams.get(id) === undefined) this.#assertCapacity(id);
    return this.#pending.add(id, { ...expectation });
  }

  /** Ends the stream of a session; what it holds can still be read. */
  delete(id: string): void {
    this.#streams.end(id);
  }

  /** Ends the stream of a session that has a newer one elsewhere. */
  replace(id: string): void {
    this.#streams.replace(id);
    this.#drain?.replace(id);
  }

  /**
   * Writes a text.
   *
   * @param sessions To whom; `undefined` means everyone.
   * @param data The text.
   * @param origin Which text to everyone it is, where there are several nodes.
   */
  send(
    sessions: readonly string[] | undefined,
    data: string,
    origin?: BroadcastId,
  ): void {
    assertMessage(sessions, data);
    if (data === "" || sessions?.length === 0) return;
    const targets = recipientsOf(sessions);
    const log = this.#log;
    if (log === undefined) {
      return this.#streams.send(targets, data);
    }
    const now = this.#ticker.now();
    this.#ticker.start(this.#logTask);
    for (const part of splitSseFrames(data)) {
      const frame = withSseId(part, log.nextEventId);
      const bytes = encoder.encode(frame);
      log.append(targets, bytes, now, origin);
      this.#streams.send(targets, frame, bytes);
    }
  }

  /** Writes a text that is kept elsewhere, if it is. */
  deliver(sessions: readonly string[] | undefined, data: string): void {
    this.#streams.send(recipientsOf(sessions), data);
  }

  /** Hands over what a session has missed that goes on elsewhere. */
  exportMissed(
    id: string,
    lastEventId: string,
    since: string | undefined,
  ): MissedEvents | ResetReason {
    return this.#log?.exportMissed(
      id,
      lastEventId,
      since,
      this.#ticker.now(),
    ) ??
      "unknown";
  }

  /** Takes over what a session has missed that comes from elsewhere. */
  importMissed(
    id: string,
    lastEventId: string,
    missed: MissedEvents,
    since: string | undefined,
  ): ResetReason | undefined {
    if (this.#log === undefined) return "unknown";
    this.#ticker.start(this.#logTask);
    const now = this.#ticker.now();
    return this.#log.importMissed(id, lastEventId, missed, since, now);
  }

  /** What was counted so far. */
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

  /** Ends every stream, at once or little by little; takes no new ones. */
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
    this.#ticker.stop(this.#logTask);
  }

  #age(now: number): void {
    this.#log?.trim(now);
    if (this.#log?.isEmpty) this.#ticker.stop(this.#logTask);
  }

  #assertOpen(): void {
    if (!this.#isClosed) return;
    throw new ClosedError(
      "This manager of streams is closed. Make a new one to attach streams.",
    );
  }

  #assertCapacity(id: string): void {
    if (this.#maxSessions === Infinity) return;
    let taken = this.#streams.size;
    for (const expected of this.#pending.ids()) {
      // Its place is kept free.
      if (expected === id) return;
      if (this.#streams.get(expected) === undefined) taken++;
    }
    if (taken < this.#maxSessions) return;
    throw new SessionLimitError(this.#maxSessions);
  }
}

/** Refuses what cannot be sent. */
export function assertMessage(sessions: unknown, data: unknown): void {
  if (typeof data !== "string") {
    throw new InvalidArgumentError(
      "data",
      `Only strings can be sent, not ${formatValue(data)}. ` +
        "Turn it into an SSE frame first.",
    );
  }
  if (sessions !== undefined && !Array.isArray(sessions)) {
    throw new InvalidArgumentError(
      "sessions",
      `"sessions" has to be an array of ids, or undefined for everyone, not ` +
        `${formatValue(sessions)}.`,
    );
  }
}

function recipientsOf(sessions: readonly string[] | undefined): Recipients {
  const [only] = sessions?.length === 1 ? sessions : [];
  // What is no string is nobody's id, and must not be taken for everyone.
  return typeof only === "string" ? only : sessions && new Set(sessions);
}
