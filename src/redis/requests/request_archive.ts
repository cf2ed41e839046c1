import type { ReplaySettings } from "../../contracts/resolve_options.ts";
import { requestName, sessionIdOf } from "../../replay/request_key.ts";
import type {
  ArchivedEvents,
  RequestArchive,
} from "../../requests/request_archive.ts";
import { parseRequestEventId } from "../../requests/request_event_id.ts";
import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import { inChunks } from "../../runtime/chunks.ts";
import type { RedisNode } from "../redis_node.ts";
import { parseEventId } from "../log/log_codec.ts";
import { limitsOf } from "../log/log_scripts.ts";
import { APPEND_REQUEST, READ_REQUEST } from "./request_scripts.ts";

/** The limits of one command: its length in characters, and its events. */
const BATCH_LENGTH = 1_048_576;
const BATCH_EVENTS = 500;
/** How much may wait for Redis, in characters. Beyond it, events are dropped. */
const MAX_QUEUED_LENGTH = 16_777_216;

/** An event that will be stored, or the end of a response. */
interface QueuedEvent {
  /** The name of the request, and its session. */
  readonly name: string;
  readonly offset: number;
  /** The offset of the request's event before this one; 0 for the first. */
  readonly previous: number;
  /** The bytes of all events of the request up to this one. */
  readonly bytes: number;
  /** The frame; empty for the end. */
  readonly frame: string;
}

/** What was stored of a request that is open on this node. */
interface Progress {
  offset: number;
  bytes: number;
}

/**
 * Stores the events of open requests in Redis, where they outlive this node.
 * The events of one turn take one command. While Redis is unavailable, events
 * are dropped, and `read` reports the gap.
 */
export class RedisRequestArchive implements RequestArchive {
  readonly #redisNode: RedisNode;
  readonly #maxEvents: string;
  readonly #maxBytes: string;
  readonly #ttlMs: string;
  readonly #open: Map<string, Progress> = new Map();
  #queue: QueuedEvent[] = [];
  #length = 0;
  #isScheduled = false;
  #isWriting = false;

  /**
   * @param redisNode The server.
   * @param settings The limits of each request; `maxAgeMs` counts from its
   * newest event.
   */
  constructor(redisNode: RedisNode, settings: ReplaySettings) {
    this.#redisNode = redisNode;
    const [maxEvents, maxBytes, maxAge] = limitsOf(settings);
    this.#maxEvents = maxEvents!;
    this.#maxBytes = maxBytes!;
    this.#ttlMs = String(Math.ceil(Number(maxAge) / 1_000));
  }

  append(key: string, eventId: string, frame: string): void {
    const offset = offsetOf(eventId);
    const progress = this.#open.get(key) ?? { offset: 0, bytes: 0 };
    this.#open.set(key, progress);
    const { offset: previous } = progress;
    progress.offset = offset;
    progress.bytes += frame.length;
    const { bytes } = progress;
    this.#add({ name: nameOf(key), offset, previous, bytes, frame });
  }

  end(key: string, isComplete: boolean): void {
    const progress = this.#open.get(key);
    this.#open.delete(key);
    if (progress === undefined || !isComplete) return;
    const { offset, bytes } = progress;
    const name = nameOf(key);
    this.#add({ name, offset, previous: offset, bytes, frame: "" });
  }

  async read(
    key: string,
    lastEventId: string,
  ): Promise<ArchivedEvents | undefined> {
    const { connection, keys } = this.#redisNode;
    let stored: string[];
    try {
      stored = await connection.evaluate(
        READ_REQUEST,
        keys.logState,
        [keys.prefix, nameOf(key)],
      ) as string[];
    } catch (error) {
      connection.report(error);
      return undefined;
    }
    if (stored.length === 0) return undefined;
    const received = offsetOf(lastEventId);
    const frames: string[] = [];
    let newest = received;
    let hasGap = false;
    let isComplete = false;
    for (const [offset, previous, frame] of inChunks(stored, 3)) {
      const isEnd = frame === "";
      if (Number(offset) <= received && !isEnd) continue;
      // Events were trimmed, or could not be stored during an outage.
      const isGap = Number(previous) > newest;
      hasGap ||= isGap;
      if (isEnd) isComplete = !isGap;
      else frames.push(frame!);
      newest = Number(offset);
    }
    return { frames, hasGap, isComplete };
  }

  #add(event: QueuedEvent): void {
    const { isRecovering, isClosed } = this.#redisNode;
    if (isRecovering || isClosed || this.#length > MAX_QUEUED_LENGTH) return;
    this.#queue.push(event);
    this.#length += event.frame.length;
    if (this.#isScheduled || this.#isWriting) return;
    this.#isScheduled = true;
    atEndOfTurn(() => {
      this.#isScheduled = false;
      void this.#write();
    });
  }

  async #write(): Promise<void> {
    const { connection, keys } = this.#redisNode;
    this.#isWriting = true;
    while (this.#queue.length > 0) {
      const events = this.#takeBatch();
      try {
        await connection.evaluate(APPEND_REQUEST, keys.logState, [
          keys.prefix,
          this.#maxEvents,
          this.#maxBytes,
          this.#ttlMs,
          ...events.flatMap(({ name, offset, previous, bytes, frame }) => [
            name,
            String(offset),
            String(previous),
            String(bytes),
            frame,
          ]),
        ]);
      } catch (error) {
        connection.report(error);
        this.#queue = [];
        this.#length = 0;
      }
    }
    this.#isWriting = false;
  }

  #takeBatch(): QueuedEvent[] {
    let length = 0;
    let count = 0;
    for (const { frame } of this.#queue) {
      length += frame.length;
      if (count > 0 && (length > BATCH_LENGTH || count === BATCH_EVENTS)) break;
      count++;
    }
    const batch = this.#queue.splice(0, count);
    for (const { frame } of batch) this.#length -= frame.length;
    return batch;
  }
}

/** The position of an event in the log of its node. */
function offsetOf(eventId: string): number {
  const { logEventId } = parseRequestEventId(eventId) ?? {};
  return Number(parseEventId(logEventId)?.offset ?? 0);
}

/** The name of a request among those of all sessions. */
function nameOf(key: string): string {
  return `${requestName(key)}:${sessionIdOf(key)}`;
}
