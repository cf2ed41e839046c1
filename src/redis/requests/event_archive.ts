import type { ReplaySettings } from "../../contracts/resolve_options.ts";
import type {
  ArchivedEvent,
  EventArchive,
} from "../../requests/stored_events.ts";
import { LruMap } from "../../runtime/lru_map.ts";
import { inChunks } from "../../runtime/chunks.ts";
import { limitsOf } from "../log/log_scripts.ts";
import type { RedisNode } from "../redis_node.ts";
import { APPEND_EVENT, READ_EVENTS } from "./event_scripts.ts";

/** How many streams with lost events are remembered. */
const MAX_INCOMPLETE = 100_000;

/**
 * Stores the events of streams that transports own in Redis, where they outlive
 * this node. While Redis is unavailable, events are not stored, and `after`
 * reports the gap.
 */
export class RedisEventArchive implements EventArchive {
  readonly #redisNode: RedisNode;
  readonly #limits: readonly string[];
  /** Streams whose last events could not be stored. */
  readonly #incomplete: LruMap<string, true> = new LruMap(MAX_INCOMPLETE);

  /**
   * @param redisNode The server.
   * @param settings The limits of each stream.
   */
  constructor(redisNode: RedisNode, settings: ReplaySettings) {
    this.#redisNode = redisNode;
    this.#limits = limitsOf(settings);
  }

  async append(
    name: string,
    { logEventId, data }: ArchivedEvent,
  ): Promise<void> {
    const { connection, keys, isClosed } = this.#redisNode;
    if (isClosed) return;
    const hasGap = this.#incomplete.delete(name);
    try {
      await connection.evaluate(
        APPEND_EVENT,
        keys.logState,
        [
          keys.prefix,
          name,
          ...this.#limits,
          logEventId,
          hasGap ? "1" : "",
          data,
        ],
      );
    } catch (error) {
      connection.report(error);
      this.#incomplete.set(name, true);
    }
  }

  async after(
    name: string,
    logEventId: string,
  ): Promise<readonly ArchivedEvent[] | undefined> {
    const { connection, keys } = this.#redisNode;
    const stored = await connection.evaluate(
      READ_EVENTS,
      keys.logState,
      [keys.prefix, name],
    ) as string[];
    let events: ArchivedEvent[] | undefined;
    for (const [id, gap, data] of inChunks(stored, 3)) {
      if (events !== undefined && gap !== "") return undefined;
      events?.push({ logEventId: id!, data: data! });
      if (id === logEventId) events = [];
    }
    return this.#incomplete.has(name) ? undefined : events;
  }
}
