import { type ClientAdapter, ignore } from "./client_adapter.ts";
import type { BunRedisClient, RedisSubscriber } from "./client_types.ts";

/** The part of Bun's `RedisClient` that is used. */
export interface BunClient extends BunRedisClient, RedisSubscriber {
  connect(): Promise<unknown>;
  close(): void;
  duplicate(): Promise<BunClient>;
}

/** Adapts Bun's `RedisClient`. */
export function adaptBun(client: BunClient): ClientAdapter {
  return {
    send: ([name = "", ...args]) => client.send(name, args),
    subscribe: (channels, listener) => client.subscribe(channels, listener),
    unsubscribe: (channels, listener) => client.unsubscribe(channels, listener),
    // It has no events that several users could listen to.
    listen: () => () => {},
    open: () => {
      let isClosed = false;
      const duplicate = client.duplicate();
      return {
        connected: duplicate.then(async (other) => {
          if (isClosed) other.close();
          else await other.connect();
          return adaptBun(other);
        }),
        close: () => {
          isClosed = true;
          duplicate.then((other) => other.close(), ignore);
        },
      };
    },
  };
}
