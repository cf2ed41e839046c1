import {
  type ClientAdapter,
  type Emitter,
  ignore,
  listenTo,
} from "./client_adapter.ts";
import type { IoRedisClient, MessageListener } from "./client_types.ts";

/** The part of `Redis` and `Cluster` of ioredis that is used. */
export interface IoRedis extends IoRedisClient, Emitter {
  readonly isCluster?: boolean;
  subscribe(...channels: string[]): Promise<unknown>;
  unsubscribe(...channels: string[]): Promise<unknown>;
  disconnect(): void;
  duplicate(...overrides: unknown[]): IoRedis;
}

/** The subscriber waits for its connection, whatever the other client does. */
const SUBSCRIBER_OPTIONS = {
  enableOfflineQueue: true,
  lazyConnect: false,
  maxRetriesPerRequest: null,
};

/** Commands without a key, which a cluster would send to any of its nodes. */
const KEYLESS = ["INFO", "PUBLISH"];

/**
 * Adapts a client of ioredis.
 *
 * @param client The client.
 * @param routingKey A key on the shard of all keys, for a cluster.
 */
export function adaptIoRedis(
  client: IoRedis,
  routingKey: string,
): ClientAdapter {
  const listeners = new Map<string, MessageListener>();
  const receive = (channel: string, message: string) =>
    listeners.get(channel)?.(message, channel);
  return {
    send: ([name = "", ...args]) =>
      client.isCluster && KEYLESS.includes(name)
        ? client.call(
          "EVAL",
          "return redis.call(unpack(ARGV))",
          "1",
          routingKey,
          name,
          ...args,
        )
        : client.call(name, ...args),
    subscribe: (channels, listener) => {
      if (listeners.size === 0) client.on?.("message", receive);
      for (const channel of channels) listeners.set(channel, listener);
      return client.subscribe(...channels);
    },
    unsubscribe: (channels) => {
      for (const channel of channels) listeners.delete(channel);
      if (listeners.size === 0) client.off?.("message", receive);
      return client.unsubscribe(...channels);
    },
    listen: ({ onLost = ignore, onReady = ignore }) =>
      listenTo(client, {
        // The errors of a cluster are about all of its nodes.
        error: (error: unknown) => client.isCluster || onLost(error),
        reconnecting: () => onLost(),
        ready: () => onReady(),
      }),
    isQuiet: client.isCluster === true,
    open: () => {
      const duplicate = client.isCluster
        ? client.duplicate([], SUBSCRIBER_OPTIONS)
        : client.duplicate(SUBSCRIBER_OPTIONS);
      duplicate.on?.("error", ignore);
      return {
        connected: Promise.resolve(adaptIoRedis(duplicate, routingKey)),
        close: () => duplicate.disconnect(),
      };
    },
  };
}
