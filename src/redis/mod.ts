/**
 * Sessions of many processes and machines, over Redis 6.2 or later. You bring
 * the client: node-redis 5 and 6, ioredis 5 and 6, and Bun's fit unchanged.
 *
 * @example The same in every process
 * ```ts no-eval
 * import { RedisSessions } from "@crossmcp/session-manager/redis";
 * import { createClient } from "redis";
 *
 * const client = createClient({ url: "redis://localhost:6379" });
 * await client.connect();
 *
 * const sessions = new RedisSessions(client);
 * await sessions.ready;
 * ```
 *
 * @module
 */

export { RedisSessions, type RedisSessionsOptions } from "./sessions.ts";
export { RedisNotifier, type RedisNotifierOptions } from "./notifier.ts";
export {
  RedisStreamSessionManager,
  type RedisStreamSessionManagerOptions,
} from "./stream_session_manager.ts";
export {
  RedisInfoSessionManager,
  type RedisInfoSessionManagerOptions,
} from "./info_session_manager.ts";
export {
  RedisSubscriptionManager,
  type RedisSubscriptionManagerOptions,
} from "./subscription_manager.ts";
export type { RedisOptions } from "./redis_node.ts";
export type {
  BunRedisClient,
  IoRedisClient,
  MessageListener,
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisSentinel,
  RedisClient,
  RedisClients,
  RedisPublisher,
  RedisSubscriber,
} from "./clients/client_types.ts";
