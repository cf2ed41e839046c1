import { formatValue } from "../../format_value.ts";
import { InvalidArgumentError } from "../../errors.ts";

/**
 * A Redis client that sends commands. Clients of node-redis 5 and 6 fit
 * directly; others need one line:
 *
 * - ioredis: `{ sendCommand: ([name, ...args]) => redis.call(name!, ...args) }`
 * - Bun: `{ sendCommand: ([name, ...args]) => redis.send(name!, args) }`
 */
export interface RedisPublisher {
  /**
   * Sends a command and returns its reply.
   *
   * @param args The name of the command and its arguments.
   */
  sendCommand(args: string[]): Promise<unknown>;
}

/**
 * A Redis client that subscribes. It needs its own connection, because with
 * RESP2 a connection in subscriber mode can do nothing else. It must subscribe
 * again by itself after a reconnect.
 */
export interface RedisSubscriber {
  /**
   * Subscribes to channels.
   *
   * @param channels The names of the channels.
   * @param listener Called with each message.
   */
  subscribe(
    channels: string[],
    listener: (message: string, channel: string) => void,
  ): Promise<unknown>;
  /**
   * Unsubscribes from channels.
   *
   * @param channels The names of the channels.
   * @param listener The listener to remove.
   */
  unsubscribe(
    channels: string[],
    listener: (message: string, channel: string) => void,
  ): Promise<unknown>;
}

/** Two connected clients of one Redis server. You close them. */
export interface RedisClients {
  /** Sends commands. */
  readonly publisher: RedisPublisher;
  /**
   * Receives messages. Use `publisher.duplicate()` for node-redis and ioredis.
   */
  readonly subscriber: RedisSubscriber;
}

/** What some clients reveal about their state. */
interface Emitter {
  readonly isOpen?: unknown;
  on?(event: string, listener: (...args: never[]) => void): unknown;
  off?(event: string, listener: (...args: never[]) => void): unknown;
}

/** Throws if the clients are missing, invalid or closed. */
export function assertClients(
  clients: unknown,
): asserts clients is RedisClients {
  const { publisher, subscriber } = (clients ?? {}) as Record<string, unknown>;
  assertClient("publisher", publisher, ["sendCommand"]);
  assertClient("subscriber", subscriber, ["subscribe", "unsubscribe"]);
}

/**
 * Adds a listener to a client, if it is an event emitter.
 *
 * @returns Removes the listener.
 */
export function listenTo(
  client: unknown,
  event: string,
  listener: (...args: never[]) => void,
): () => void {
  const emitter = client as Emitter;
  if (typeof emitter?.on !== "function") return () => {};
  emitter.on(event, listener);
  return () => void emitter.off?.(event, listener);
}

function assertClient(
  name: string,
  client: unknown,
  methods: readonly string[],
): void {
  for (const method of methods) {
    if (typeof (client as Record<string, unknown>)?.[method] === "function") {
      continue;
    }
    throw new InvalidArgumentError(
      name,
      `"${name}" must be a Redis client with a method "${method}", but got ` +
        `${
          formatValue(client)
        }. Pass two clients of node-redis, or wrap yours.`,
    );
  }
  if ((client as Emitter).isOpen !== false) return;
  throw new InvalidArgumentError(
    name,
    `"${name}" is a closed Redis client. Connect it first: ` +
      `await ${name}.connect().`,
  );
}
