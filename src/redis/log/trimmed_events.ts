import type { EventLogListener } from "../../cluster/delivery/event_log.ts";
import { ClusterError } from "../../errors.ts";
import { inChunks } from "../../runtime/chunks.ts";
import { SESSIONS_PER_COMMAND } from "../connection/command_size.ts";
import type { RedisNode } from "../redis_node.ts";
import { TRIMMED } from "./gap_scripts.ts";
import type { LogPosition } from "./log_position.ts";
import type { LogPage } from "./read_log.ts";

/** The sessions of this node. */
export interface LocalSessions {
  /** Returns whether this node owns a session. */
  isLocal(id: string): boolean;
  /** Returns the sessions that this node owns. */
  localIds(): Iterable<string>;
  /**
   * Returns when this node has claimed a session, in microseconds of the server;
   * `undefined` if Redis does not know of it.
   */
  claimedAt(id: string): number | undefined;
}

/** Notices events that were trimmed before this node had read them. */
export class TrimmedEvents {
  readonly #redisNode: RedisNode;
  readonly #sessions: LocalSessions;
  readonly #position: LogPosition;

  /**
   * @param redisNode The server.
   * @param sessions The sessions of this node.
   * @param position What this node has delivered.
   */
  constructor(
    redisNode: RedisNode,
    sessions: LocalSessions,
    position: LogPosition,
  ) {
    this.#redisNode = redisNode;
    this.#sessions = sessions;
    this.#position = position;
  }

  /**
   * Resets the open streams that events were for which can no longer be read,
   * and reports that.
   *
   * @param page A part of the log.
   * @param readFrom The event after which it was read.
   * @param reset Writes a reset to streams.
   */
  async reset(
    page: LogPage,
    readFrom: number,
    reset: EventLogListener["reset"],
  ): Promise<void> {
    const { trimmedBroadcast, trimmedTargeted } = page;
    const { lastBroadcast, lastDirect, contiguousTo } = this.#position;
    const upTo = Math.max(trimmedBroadcast, trimmedTargeted);
    const isBroadcastLost =
      trimmedBroadcast > Math.max(lastBroadcast, contiguousTo);
    const received = Math.max(lastDirect, readFrom);
    // Nothing else was for this node.
    const isTargetedLost = page.lastDirect > lastDirect &&
      trimmedTargeted > received;
    if (!isBroadcastLost && !isTargetedLost) return;
    const lost = isBroadcastLost ? undefined : await this.#find(received, page);
    if (page.epoch !== this.#position.epoch) return;
    if (lost === undefined || lost.length > 0) {
      this.#redisNode.report(trimmedError());
      reset(lost, `${page.epoch}-${upTo}`, "purged");
    }
    if (isBroadcastLost) this.#position.advance(true, trimmedBroadcast);
    this.#position.advance(false, trimmedTargeted);
  }

  /** Returns the sessions whose own events were lost. */
  async #find(
    received: number,
    { epoch, trimmedTargeted }: LogPage,
  ): Promise<string[]> {
    const { connection, keys } = this.#redisNode;
    const isAffected = (id: string) =>
      this.#sessions.isLocal(id) &&
      this.#position.replayedUpTo(id) < trimmedTargeted;
    const ids = [...this.#sessions.localIds()].filter(isAffected);
    const lost: string[] = [];
    for (const chunk of inChunks(ids, SESSIONS_PER_COMMAND)) {
      const [found, some] = await connection.evaluate(TRIMMED, keys.logState, [
        keys.prefix,
        String(trimmedTargeted),
        ...chunk.flatMap((id) => [
          id,
          String(Math.max(received, this.#position.replayedUpTo(id))),
        ]),
      ]) as [string, string[]];
      if (found === epoch) lost.push(...some);
    }
    // Clients may have come or gone meanwhile.
    return lost.filter(isAffected);
  }
}

function trimmedError(): ClusterError {
  return new ClusterError(
    "Events were trimmed before this node had read them: it was disconnected " +
      'or busy for too long, or the limits of "replay" are too low. The open ' +
      "streams that they were for got a reset.",
  );
}
