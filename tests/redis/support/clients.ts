import { createClient as createClient5 } from "@redis/client";
import type {
  RedisPublisher,
  RedisSubscriber,
} from "@crossmcp/session-manager/redis";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { bunClients } from "./bun_client.ts";

/** A client that users may have. */
export type ClientKind =
  | "node-redis 6, RESP3"
  | "node-redis 6, RESP2"
  | "node-redis 5, RESP3"
  | "node-redis 5, RESP2"
  | "ioredis, RESP3"
  | "ioredis, RESP2"
  | "Bun's own";

/** The clients that exist on this runtime. */
export const CLIENT_KINDS: readonly ClientKind[] = [
  "node-redis 6, RESP3",
  "node-redis 6, RESP2",
  "node-redis 5, RESP3",
  "node-redis 5, RESP2",
  "ioredis, RESP3",
  "ioredis, RESP2",
  ...("Bun" in globalThis ? ["Bun's own"] as const : []),
];

/** Where and as which user a client connects. */
export interface Connection {
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** The clients of a node, and how to end them. */
export interface Clients extends AsyncDisposable {
  readonly publisher: RedisPublisher;
  readonly subscriber: RedisSubscriber;
  /** Resolves when both are connected. */
  readonly connected: Promise<unknown>;
}

/** So short that tests need not wait for it. */
const RECONNECT_MS = 50;

/** Creates the clients of a node, which connect by themselves. */
export function makeClients(
  connection: Connection,
  kind: ClientKind = "node-redis 6, RESP3",
): Clients {
  const RESP = kind.endsWith("RESP2") ? 2 : 3;
  if (kind.startsWith("ioredis")) return ioredisClients(connection, RESP);
  if (kind === "Bun's own") return bunClients(connection);
  const { port, username, password } = connection;
  const options = {
    RESP,
    socket: { host: "127.0.0.1", port, reconnectStrategy: () => RECONNECT_MS },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  } as const;
  return kind.startsWith("node-redis 5")
    ? nodeRedisClients(createClient5(options), createClient5(options))
    : nodeRedisClients(createClient(options), createClient(options));
}

/** Creates the clients of a node, and waits until they are connected. */
export async function connect(
  connection: Connection,
  kind?: ClientKind,
): Promise<Clients> {
  const clients = makeClients(connection, kind);
  await clients.connected;
  return clients;
}

/** What all releases of node-redis have in common. */
interface NodeRedisClient {
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): void;
  readonly isOpen: boolean;
}

function nodeRedisClients(
  publisher: NodeRedisClient & RedisPublisher,
  subscriber: NodeRedisClient & RedisSubscriber,
): Clients {
  const both = [publisher, subscriber];
  for (const client of both) client.on("error", () => {});
  const connected = Promise.all(both.map((client) => client.connect()));
  connected.catch(() => {});
  return {
    publisher,
    subscriber,
    connected,
    // deno-lint-ignore require-await
    async [Symbol.asyncDispose]() {
      for (const client of both) if (client.isOpen) client.destroy();
    },
  };
}

function ioredisClients(
  { port, username, password }: Connection,
  protocol: 2 | 3,
): Clients {
  const make = () =>
    new Redis({
      port,
      protocol,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      retryStrategy: () => RECONNECT_MS,
      // Commands during an outage wait, as with node-redis.
      maxRetriesPerRequest: null,
    });
  const [publisher, subscriber] = [make(), make()];
  const both = [publisher, subscriber];
  for (const client of both) client.on("error", () => {});
  return {
    publisher: ioredisPublisher(publisher),
    subscriber: ioredisSubscriber(subscriber),
    connected: Promise.all(
      both.map((client) =>
        new Promise<void>((resolve) => client.once("ready", () => resolve()))
      ),
    ),
    // deno-lint-ignore require-await
    async [Symbol.asyncDispose]() {
      for (const client of both) client.disconnect();
    },
  };
}

/** ioredis as a publisher. */
export function ioredisPublisher(redis: Redis): RedisPublisher {
  return {
    sendCommand: ([name, ...args]) => redis.call(name!, ...args),
  };
}

/** ioredis as a subscriber. */
export function ioredisSubscriber(redis: Redis): RedisSubscriber {
  type Listener = (message: string, channel: string) => void;
  const listeners = new Map<string, Listener>();
  redis.on(
    "message",
    (channel, message) => listeners.get(channel)?.(message, channel),
  );
  return {
    subscribe: (channels, listener) => {
      for (const channel of channels) listeners.set(channel, listener);
      return redis.subscribe(...channels);
    },
    unsubscribe: (channels) => {
      for (const channel of channels) listeners.delete(channel);
      return redis.unsubscribe(...channels);
    },
  };
}
