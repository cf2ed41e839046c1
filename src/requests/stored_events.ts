import type {
  EventStorage,
  ReplayedEvents,
  StoredEvent,
} from "../contracts/hosting.ts";
import type { ResetReason } from "../contracts/options.ts";
import { requestKey } from "../replay/request_key.ts";
import type { ReplayLog } from "../replay/replay_log.ts";
import {
  checkPeriodFor,
  type PeriodicTask,
  type Scheduler,
} from "../runtime/scheduler.ts";
import { encodeBase64Url } from "../runtime/base64url.ts";
import { formatStoredEventId, parseStoredEventId } from "./stored_event_id.ts";

/** An event in an archive. Its ID is the one that it has in a log. */
export interface ArchivedEvent {
  readonly logEventId: string;
  readonly data: string;
}

/**
 * Keeps the events of streams where they outlive their node. This is a port, for
 * backends with a shared store.
 */
export interface EventArchive {
  /**
   * Stores an event; resolves when that is done, or has failed. Never rejects.
   *
   * @param name The name of the stream, unique among all sessions.
   * @param event The event.
   */
  append(name: string, event: ArchivedEvent): Promise<void>;
  /**
   * Returns the events after one, in order; undefined if that one is not stored,
   * or if later ones are missing.
   *
   * @throws {ClusterError} If the store is unavailable.
   */
  after(
    name: string,
    logEventId: string,
  ): Promise<readonly ArchivedEvent[] | undefined>;
}

/** What {@linkcode StoredEvents} needs. */
export interface StoredEventsParts {
  /** The events of this node. */
  readonly log: ReplayLog;
  readonly maxAgeMs: number;
  readonly scheduler: Scheduler;
  /** Where events outlive this node, if anywhere. */
  readonly archive: EventArchive | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The events of streams that transports of the user own. They are in the log of
 * open requests, with its limits, and in the archive, if there is one.
 */
export class StoredEvents implements EventStorage, PeriodicTask {
  readonly periodMs: number;
  readonly #parts: StoredEventsParts;

  constructor(parts: StoredEventsParts) {
    this.#parts = parts;
    this.periodMs = checkPeriodFor(parts.maxAgeMs);
  }

  append(
    sessionId: string,
    streamId: string,
    data: string,
  ): Promise<string> {
    const { log, scheduler, archive } = this.#parts;
    const logEventId = log.nextEventId;
    const id = formatStoredEventId(logEventId, sessionId, streamId);
    // Neither the ID nor JSON has line breaks.
    const bytes = encoder.encode(`${id}\n${data}`);
    log.append(keyOf(sessionId, streamId), bytes, scheduler.now());
    scheduler.start(this);
    if (archive === undefined) return Promise.resolve(id);
    return archive.append(nameOf(sessionId, streamId), { logEventId, data })
      .then(() => id);
  }

  async after(sessionId: string, eventId: string): Promise<ReplayedEvents> {
    const parsed = parseStoredEventId(eventId, sessionId);
    if (parsed === undefined) return "unknown";
    const { logEventId, streamId } = parsed;
    const local = this.#localAfter(sessionId, streamId, logEventId);
    if (typeof local !== "string") return { streamId, events: local };
    const { archive } = this.#parts;
    // Another node may have stored it.
    if (local !== "unknown" || archive === undefined) return local;
    const name = nameOf(sessionId, streamId);
    const archived = await archive.after(name, logEventId);
    if (archived === undefined) return "purged";
    const events = archived.map(({ logEventId, data }) => ({
      id: formatStoredEventId(logEventId, sessionId, streamId),
      data,
    }));
    return { streamId, events };
  }

  /** Drops old events. */
  run(now: number): void {
    const { log, scheduler } = this.#parts;
    log.trim(now);
    if (log.isEmpty) scheduler.stop(this);
  }

  /** Stops the checks for old events. */
  close(): void {
    this.#parts.scheduler.stop(this);
  }

  #localAfter(
    sessionId: string,
    streamId: string,
    lastEventId: string,
  ): StoredEvent[] | ResetReason {
    const { log, scheduler } = this.#parts;
    const session = keyOf(sessionId, streamId);
    const frames = log.after({ session, lastEventId }, scheduler.now());
    if (typeof frames === "string") return frames;
    return frames.map((frame) => {
      const text = decoder.decode(frame);
      const end = text.indexOf("\n");
      return { id: text.slice(0, end), data: text.slice(end + 1) };
    });
  }
}

/** The key of a stream in the log. The names of requests start with no "s". */
function keyOf(sessionId: string, streamId: string): string {
  return requestKey(`s${encodeBase64Url(streamId)}`, sessionId);
}

/** The name of a stream among those of all sessions. */
function nameOf(sessionId: string, streamId: string): string {
  return `${encodeBase64Url(streamId)}:${sessionId}`;
}
