import { adaptBun, type BunClient } from "./bun.ts";
import type {
  ClientAdapter,
  OwnConnection,
  PublisherAdapter,
  SubscriberAdapter,
} from "./client_adapter.ts";
import { adaptIoRedis, type IoRedis } from "./io_redis.ts";
import {
  adaptCluster,
  adaptPublisher,
  adaptSentinel,
  adaptSubscriber,
} from "./node_redis.ts";
import {
  assertMethods,
  assertNotSubscribed,
  assertUsable,
  singleConnectionError,
} from "./refusals.ts";

/** Where messages are received. */
export interface SubscriberSource {
  /** The user's client; `undefined` if the connection must be opened. */
  readonly given: SubscriberAdapter | undefined;
  /** Opens a connection; `undefined` if the client cannot. */
  readonly open: (() => OwnConnection) | undefined;
  /** Whether the client does not report that its connection was lost. */
  readonly isQuiet: boolean;
}

/** The user's clients, adapted. */
export interface AdaptedClients {
  readonly publisher: PublisherAdapter;
  readonly subscriber: SubscriberSource;
}

/**
 * Recognizes and adapts the user's clients.
 *
 * @param given One client, or a publisher and a subscriber.
 * @param routingKey A key on the shard of all keys, for clusters.
 * @throws {InvalidArgumentError} If they cannot be used; the error says why.
 */
export function resolveClients(
  given: unknown,
  routingKey: string,
): AdaptedClients {
  if (!isPair(given)) {
    assertUsable("client", given);
    const methods = ["sendCommand", "subscribe", "unsubscribe"];
    const client = recognizeSender("client", given, routingKey, methods);
    if (client === undefined) throw singleConnectionError("client");
    return { publisher: client, subscriber: secondOf("client", client) };
  }
  const { publisher, subscriber } = given;
  assertUsable("publisher", publisher);
  assertUsable("subscriber", subscriber);
  const sending = recognizeSender("publisher", publisher, routingKey, [
    "sendCommand",
  ]);
  if (sending !== undefined && publisher === subscriber) {
    return { publisher: sending, subscriber: secondOf("subscriber", sending) };
  }
  const receiving = recognize(subscriber, routingKey);
  if (receiving === undefined) {
    assertMethods("subscriber", subscriber, ["subscribe", "unsubscribe"]);
  }
  const adapted = receiving ?? adaptSubscriber(subscriber as never);
  return {
    publisher: sending ?? adaptPublisher(publisher as never),
    subscriber: {
      given: adapted,
      open: adapted.open,
      isQuiet: adapted.isQuiet ?? false,
    },
  };
}

/**
 * Recognizes and adapts a client that only sends commands.
 *
 * @param client The user's client.
 * @param routingKey A key on the shard of all keys, for clusters.
 * @throws {InvalidArgumentError} If it cannot be used; the error says why.
 */
export function resolvePublisher(
  client: unknown,
  routingKey: string,
): PublisherAdapter {
  assertUsable("client", client);
  return recognizeSender("client", client, routingKey, ["sendCommand"]) ??
    adaptPublisher(client as never);
}

function isPair(
  given: unknown,
): given is { publisher: unknown; subscriber: unknown } {
  // A cluster client of ioredis has a property "subscriber", too.
  return typeof given === "object" && given !== null && !("status" in given) &&
    ("publisher" in given || "subscriber" in given);
}

/**
 * Adapts a client of a known library that sends commands; `undefined` for others
 * with the methods that are needed.
 */
function recognizeSender(
  name: string,
  client: object,
  routingKey: string,
  methods: readonly string[],
): ClientAdapter | undefined {
  assertNotSubscribed(name, client);
  const known = recognize(client, routingKey);
  if (known === undefined) assertMethods(name, client, methods);
  return known;
}

function secondOf(name: string, client: ClientAdapter): SubscriberSource {
  const { open, isQuiet = false } = client;
  if (open !== undefined) return { given: undefined, open, isQuiet };
  // These have a connection for subscriptions anyway.
  if (client.canShare) return { given: client, open: undefined, isQuiet };
  throw singleConnectionError(name);
}

/** Adapts a client of a known library; `undefined` for others. */
function recognize(
  client: object,
  routingKey: string,
): ClientAdapter | undefined {
  const has = (method: string) =>
    typeof (client as Record<string, unknown>)[method] === "function";
  if (has("call") && has("duplicate") && "status" in client) {
    return adaptIoRedis(client as IoRedis, routingKey);
  }
  if (has("sendCommand") && has("subscribe") && has("unsubscribe")) {
    if ("masters" in client && "slots" in client) {
      return adaptCluster(client as never, routingKey);
    }
    if (has("getMasterNode")) return adaptSentinel(client as never);
    if ("isOpen" in client && has("duplicate")) {
      return {
        ...adaptPublisher(client as never),
        ...adaptSubscriber(client as never),
      };
    }
    return undefined;
  }
  if (has("send") && has("duplicate") && "connected" in client) {
    return adaptBun(client as BunClient);
  }
  return undefined;
}
