import { isTransientError } from "../connection/redis_errors.ts";
import type { RedisNode } from "../redis_node.ts";
import type { MetadataCache } from "./metadata_cache.ts";
import { subscriptionField } from "./metadata_fields.ts";
import { SUBSCRIBED, SUBSCRIPTIONS } from "./metadata_scripts.ts";

/** Reads who subscribed to which resource; during an outage, from the cache. */
export class SubscriptionReader {
  readonly #redisNode: RedisNode;
  readonly #cache: MetadataCache;

  /**
   * @param redisNode The server.
   * @param cache What this node has seen.
   */
  constructor(redisNode: RedisNode, cache: MetadataCache) {
    this.#redisNode = redisNode;
    this.#cache = cache;
  }

  /** Returns the sessions that subscribed to a resource. */
  async sessionsOf(uri: string): Promise<string[]> {
    const { connection, keys } = this.#redisNode;
    const field = subscriptionField(uri);
    try {
      const read = () =>
        connection.evaluate(
          SUBSCRIBED,
          keys.resources + uri,
          [keys.prefix, field],
        ) as Promise<string[] | null>;
      let sessions = await read();
      while (sessions === null) sessions = await read();
      return sessions;
    } catch (error) {
      if (!isTransientError(error)) throw error;
      return this.#cache.sessionsWith(field);
    }
  }

  /** Returns the resources that a session subscribed to. */
  async urisOf(id: string): Promise<string[]> {
    const { connection, keys } = this.#redisNode;
    try {
      return await connection.evaluate(
        SUBSCRIPTIONS,
        keys.sessions + id,
        [],
      ) as string[];
    } catch (error) {
      if (!isTransientError(error)) throw error;
      return this.#cache.subscriptionsOf(id);
    }
  }
}
