import type { EventLogListener } from "../../cluster/delivery/event_log.ts";
import { isBroadcast, type SendTarget } from "../../replay/recipients.ts";
import { inChunks } from "../../runtime/chunks.ts";
import { SESSIONS_PER_COMMAND } from "../connection/command_size.ts";
import type { RedisNode } from "../redis_node.ts";
import { NEWEST } from "./gap_scripts.ts";
import { parseEventId } from "./log_codec.ts";
import type { LogPosition } from "./log_position.ts";

/** A stream that was attached while the log could not be read. */
interface UnsettledStream {
  /** The log that this node knew at that time. */
  readonly epoch: string | undefined;
  /** Its client has received or will not expect anything up to this event. */
  readonly position: number;
  /** What arrived while its position in the log was being read. */
  buffered: BufferedEvent[] | undefined;
}

/** An event that waits until a stream is settled. */
interface BufferedEvent {
  readonly target: SendTarget;
  readonly frame: string;
  readonly offset: number;
}

/** Writes to the streams of this node. */
export interface StreamWriter {
  readonly deliver: EventLogListener["deliver"];
  /**
   * Tells clients that events are missing. They continue after an event of the
   * log.
   */
  readonly reset: (sessions: readonly string[], eventId: string) => void;
}

/**
 * Streams that were attached while Redis was unavailable. Other nodes may send
 * to the earlier owner of such a session, so these streams get no events of the
 * log until Redis knows that this node is the owner. If anything was sent to
 * them meanwhile, they then get a reset; and from there on all events.
 */
export class UnsettledStreams {
  readonly #redisNode: RedisNode;
  readonly #writer: StreamWriter;
  readonly #streams: Map<string, UnsettledStream> = new Map();

  /**
   * @param redisNode The server.
   * @param writer Writes to streams.
   */
  constructor(redisNode: RedisNode, writer: StreamWriter) {
    this.#redisNode = redisNode;
    this.#writer = writer;
  }

  /**
   * Adds a stream. It gets no events of the log until it is settled.
   *
   * @param id The session ID.
   * @param lastEventId The last event that its client has received.
   * @param known What this node has delivered.
   */
  add(id: string, lastEventId: string | undefined, known: LogPosition): void {
    const last = parseEventId(lastEventId);
    const received = last?.epoch === known.epoch
      ? Number(last?.offset ?? 0)
      : 0;
    this.#streams.set(id, {
      epoch: known.epoch,
      position: Math.max(received, known.replayedUpTo(id), known.newest),
      buffered: undefined,
    });
  }

  /** Removes a stream: its session has a newer one. */
  delete(id: string): void {
    this.#streams.delete(id);
  }

  /**
   * Withholds an event from unsettled streams.
   *
   * @returns Returns whether a session does not get it now; `undefined` if all
   * recipients do.
   */
  withhold(
    target: SendTarget,
    frame: string,
    offset: number,
  ): ((id: string) => boolean) | undefined {
    if (this.#streams.size === 0) return undefined;
    for (const id of isBroadcast(target) ? this.#streams.keys() : target) {
      this.#streams.get(id)?.buffered?.push({ target, frame, offset });
    }
    return (id) => this.#streams.has(id);
  }

  /**
   * Settles the streams. Redis must know by now that this node owns their
   * sessions.
   *
   * @param isLocal Returns whether that is so.
   * @param onSettled Called with each session, and the event up to which its
   * stream needs nothing.
   */
  async settle(
    isLocal: (id: string) => boolean,
    onSettled: (id: string, newest: number) => void,
  ): Promise<void> {
    for (const id of [...this.#streams.keys()]) {
      if (!isLocal(id)) this.#streams.delete(id);
    }
    const { connection, keys } = this.#redisNode;
    const chunks = inChunks([...this.#streams], SESSIONS_PER_COMMAND);
    for (const chunk of chunks) {
      // What arrived before is not newer than the reply.
      for (const [, stream] of chunk) stream.buffered = [];
      const [epoch, last, lastBroadcast, newest] = await connection.evaluate(
        NEWEST,
        keys.logState,
        [keys.sessions, ...chunk.map(([id]) => id)],
      ) as [string, string, string, string[]];
      for (const [at, [id, stream]] of chunk.entries()) {
        // It was replaced meanwhile.
        if (this.#streams.get(id) !== stream) continue;
        this.#streams.delete(id);
        const newestForIt = Math.max(
          Number(lastBroadcast),
          Number(newest[2 * at]),
          Number(newest[2 * at + 1]),
        );
        const isOther = stream.epoch !== undefined && stream.epoch !== epoch;
        if (isOther || newestForIt > stream.position) {
          this.#writer.reset([id], `${epoch}-${last}`);
        }
        onSettled(id, Number(last));
        for (const { target, frame, offset } of stream.buffered ?? []) {
          if (offset <= Number(last)) continue;
          this.#writer.deliver(target, frame, offset, (other) => other !== id);
        }
      }
    }
  }

  /** Removes all streams. */
  close(): void {
    this.#streams.clear();
  }
}
