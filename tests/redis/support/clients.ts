import { createClient as createClient5 } from "@redis/client";
import type {
  BunRedisClient,
  IoRedisClient,
  NodeRedisClient,
  RedisPublisher,
  RedisSubscriber,
} from "@crossmcp/session-manager/redis";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { makeBunClient } from "./bun_client.ts";
import { IoRedis5 } from "./ioredis_5.ts";

/** A client that users may have. */
export type ClientKind =
  | "node-redis 6, RESP3"
  | "node-redis 6, RESP2"
  | "node-redis 5, RESP3"
  | "node-redis 5, RESP2"
  | "ioredis 6, RESP3"
  | "ioredis 6, RESP2"
  | "ioredis 5"
  | "Bun's own";

/** The clients that exist on this runtime. */
export const CLIENT_KINDS: readonly ClientKind[] = [
  "node-redis 6, RESP3",
  "node-redis 6, RESP2",
  "node-redis 5, RESP3",
  "node-redis 5, RESP2",
  "ioredis 6, RESP3",
  "ioredis 6, RESP2",
  ...(IoRedis5 === undefined ? [] : ["ioredis 5"] as const),
  ...("Bun" in globalThis ? ["Bun's own"] as const : []),
];

/** Where and as which user a client connects. */
export interface Connection {
  readonly port: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** A client, as its library makes it. */
export type Client = NodeRedisClient | IoRedisClient | BunRedisClient;

/** One client, and how to end it. */
export interface OneClient extends AsyncDisposable {
  readonly client: Client;
  /** Resolves when it is connected. */
  readonly connected: Promise<unknown>;
}

/** The clients of a node, and how to end them. */
export interface Clients extends AsyncDisposable {
  readonly publisher: Client & RedisPublisher;
  readonly subscriber: Client & RedisSubscriber;
  /** Resolves when both are connected. */
  readonly connected: Promise<unknown>;
}

/** So short that tests need not wait for it. */
const RECONNECT_MS = 50;

/** Creates a client, which connects by itself. */
export function makeClient(
  connection: Connection,
  kind: ClientKind = "node-redis 6, RESP3",
): OneClient {
  const RESP = kind.endsWith("RESP2") ? 2 : 3;
  const { port, username, password } = connection;
  const user = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
  if (kind.startsWith("ioredis")) {
    return ioredisClient(kind === "ioredis 5" ? IoRedis5! : Redis, {
      port,
      ...user,
      ...(kind !== "ioredis 5" && { protocol: RESP }),
    });
  }
  if (kind === "Bun's own") return makeBunClient(connection);
  const options = {
    RESP,
    socket: { host: "127.0.0.1", port, reconnectStrategy: () => RECONNECT_MS },
    ...user,
  } as const;
  return nodeRedisClient(
    kind.startsWith("node-redis 5")
      ? createClient5(options)
      : createClient(options),
  );
}

/** Creates the clients of a node, which connect by themselves. */
export function makeClients(
  connection: Connection,
  kind?: ClientKind,
): Clients {
  const both = [makeClient(connection, kind), makeClient(connection, kind)];
  const connected = Promise.all(both.map(({ connected }) => connected));
  connected.catch(() => {});
  return {
    // The tests that call their methods have clients of node-redis.
    publisher: both[0]!.client as Clients["publisher"],
    subscriber: both[1]!.client as Clients["subscriber"],
    connected,
    async [Symbol.asyncDispose]() {
      for (const client of both) await client[Symbol.asyncDispose]();
    },
  };
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
type EitherNodeRedis = NodeRedisClient & {
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): void;
};

function nodeRedisClient(client: EitherNodeRedis): OneClient {
  client.on("error", () => {});
  const connected = client.connect();
  connected.catch(() => {});
  return {
    client,
    connected,
    // deno-lint-ignore require-await
    async [Symbol.asyncDispose]() {
      if (client.isOpen) client.destroy();
    },
  };
}

function ioredisClient(Class: typeof Redis, options: object): OneClient {
  const client = new Class({
    ...options,
    retryStrategy: () => RECONNECT_MS,
    // Commands during an outage wait, as with node-redis.
    maxRetriesPerRequest: null,
  });
  client.on("error", () => {});
  return {
    client,
    connected: new Promise<void>((resolve) =>
      client.once("ready", () => resolve())
    ),
    // deno-lint-ignore require-await
    async [Symbol.asyncDispose]() {
      client.disconnect();
    },
  };
}
