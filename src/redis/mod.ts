/**
 * Sessions of many processes and machines, over Redis 6.2 or later. You bring
 * the clients: node-redis 5 and 6 fit directly, others need one line.
 *
 * @example Two processes, each with two clients of node-redis
 * ```ts no-eval
 * import { RedisSessions } from "@crossmcp/session-manager/redis";
 * import { createClient } from "redis";
 *
 * const publisher = createClient({ url: "redis://localhost:6379" });
 * const subscriber = publisher.duplicate();
 * await Promise.all([publisher.connect(), subscriber.connect()]);
 *
 * const sessions = new RedisSessions({ publisher, subscriber });
 * await sessions.ready;
 * ```
 *
 * @module
 */

export { RedisSessions, type RedisSessionsOptions } from "./sessions.ts";
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
  RedisClients,
  RedisPublisher,
  RedisSubscriber,
} from "./connection/clients.ts";
