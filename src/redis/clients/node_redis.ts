import {
  type ClientAdapter,
  type ConnectionEvents,
  type Emitter,
  ignore,
  listenTo,
  type OwnConnection,
  type PublisherAdapter,
  type SubscriberAdapter,
} from "./client_adapter.ts";
import type {
  NodeRedisCluster,
  NodeRedisSentinel,
  RedisPublisher,
  RedisSubscriber,
} from "./client_types.ts";

/** What a client has that can open another connection. */
interface Duplicable {
  duplicate?(): Emitter & {
    connect(): Promise<unknown>;
    destroy?(): unknown;
    disconnect?(): unknown;
  };
}

/** The commands of a client of node-redis, which are no part of its API. */
interface WithQueue {
  _getQueue?(): { flushWaitingForReply?(error: Error): void };
}

/** Adapts a client of node-redis that sends commands, or one like it. */
export function adaptPublisher(
  client: RedisPublisher & Emitter,
): PublisherAdapter {
  return {
    send: (args) => client.sendCommand(args),
    listen: (events) => listenToClient(client, events),
  };
}

/** Adapts a client of node-redis that subscribes, or one like it. */
export function adaptSubscriber(
  client: RedisSubscriber & Emitter & Duplicable,
): SubscriberAdapter {
  return {
    ...subscriptionsOf(client),
    listen: (events) => listenToClient(client, events),
    open: opener(client, adaptSubscriber),
  };
}

/**
 * Adapts a cluster client of node-redis.
 *
 * @param client The client.
 * @param routingKey A key on the shard of all keys.
 */
export function adaptCluster(
  client: NodeRedisCluster & RedisSubscriber & Emitter & Duplicable,
  routingKey: string,
): ClientAdapter {
  return {
    send: (args) => client.sendCommand(routingKey, false, args),
    ...subscriptionsOf(client),
    // The events of a cluster are about all of its nodes. A lost connection
    // shows with the next command.
    listen: ({ onReady = ignore }) =>
      listenTo(client, { error: ignore, "node-ready": onReady }),
    open: opener(client, (other) => adaptCluster(other, routingKey)),
    canShare: true,
    isQuiet: true,
  };
}

/** Adapts a Sentinel client of node-redis. */
export function adaptSentinel(
  client: NodeRedisSentinel & RedisSubscriber & Emitter & Duplicable,
): ClientAdapter {
  return {
    send: (args) => client.sendCommand(false, args),
    ...subscriptionsOf(client),
    listen: ({ onReady = ignore }) =>
      listenTo(client, {
        error: ignore,
        "client-error": ignore,
        "topology-change": ({ type }: { type?: string }) => {
          if (type === "MASTER_CHANGE") onReady();
        },
      }),
    open: opener(client, adaptSentinel),
    canShare: true,
    isQuiet: true,
  };
}

function subscriptionsOf(
  client: RedisSubscriber,
): Pick<SubscriberAdapter, "subscribe" | "unsubscribe"> {
  return {
    subscribe: (channels, listener) => client.subscribe(channels, listener),
    unsubscribe: (channels, listener) => client.unsubscribe(channels, listener),
  };
}

function listenToClient(
  client: Emitter & WithQueue,
  { onLost = ignore, onReady = ignore }: ConnectionEvents,
): () => void {
  return listenTo(client, {
    connect: () => rejectLateCommands(client),
    error: (error: unknown) => onLost(error),
    reconnecting: () => onLost(),
    ready: () => onReady(),
  });
}

/**
 * Rejects commands that still wait for a reply when there is a new connection.
 * Version 5 has written those to the old one that were sent in the turn in which
 * it was lost, and would take the first replies of the new one for theirs.
 */
function rejectLateCommands(client: WithQueue): void {
  const error = new Error("The connection was lost.");
  client._getQueue?.().flushWaitingForReply?.(error);
}

function opener<Client extends Duplicable>(
  client: Client,
  adapt: (duplicate: Client) => SubscriberAdapter,
): (() => OwnConnection) | undefined {
  if (typeof client.duplicate !== "function") return undefined;
  return () => {
    const duplicate = client.duplicate!();
    duplicate.on?.("error", ignore);
    const connected = duplicate.connect();
    return {
      connected: connected.then(() => adapt(duplicate as unknown as Client)),
      close: () => {
        connected.catch(ignore);
        void end(duplicate).catch(ignore);
      },
    };
  };
}

/** Closes a client. Rejects if it is not open. */
async function end(client: ReturnType<NonNullable<Duplicable["duplicate"]>>) {
  if (typeof client.destroy === "function") await client.destroy();
  else await client.disconnect?.();
}
