import { formatValue } from "../../runtime/describe.ts";
import { InvalidArgumentError } from "../../errors.ts";

/**
 * What is asked of a Redis client that sends commands. Those of node-redis 5 and 6
 * are such as they are; for others it takes a line:
 *
 * - ioredis: `{ sendCommand: ([name, ...args]) => redis.call(name!, ...args) }`
 * - Bun: `{ sendCommand: ([name, ...args]) => redis.send(name!, args) }`
 */
export interface RedisPublisher {
  /**
   * Sends a command, and answers what the server answers.
   *
   * @param args The name of the command and its arguments.
   */
  sendCommand(args: string[]): Promise<unknown>;
}

/**
 * What is asked of a Redis client that subscribes: a connection of its own, because
 * with RESP2 one that subscribes can do nothing else. It has to subscribe again by
 * itself when its connection is back.
 */
export interface RedisSubscriber {
  /**
   * Hears what is published to channels.
   *
   * @param channels Their names.
   * @param listener Takes a message.
   */
  subscribe(
    channels: string[],
    listener: (message: string, channel: string) => void,
  ): Promise<unknown>;
  /**
   * Hears it no longer.
   *
   * @param channels Their names.
   * @param listener The one that took messages.
   */
  unsubscribe(
    channels: string[],
    listener: (message: string, channel: string) => void,
  ): Promise<unknown>;
}

/** Two connected clients of one Redis server. They are the user's to close. */
export interface RedisClients {
  /** Sends commands. */
  readonly publisher: RedisPublisher;
  /** Hears messages; `publisher.duplicate()` for node-redis and ioredis. */
  readonly subscriber: RedisSubscriber;
}

/** What some clients tell of themselves. */
interface Emitter {
  readonly isOpen?: unknown;
  on?(event: string, listener: (...args: never[]) => void): unknown;
  off?(event: string, listener: (...args: never[]) => void): unknown;
}

/** Refuses what are no clients, or closed ones. */
export function assertClients(
  clients: unknown,
): asserts clients is RedisClients {
  const { publisher, subscriber } = (clients ?? {}) as Record<string, unknown>;
  assertClient("publisher", publisher, ["sendCommand"]);
  assertClient("subscriber", subscriber, ["subscribe", "unsubscribe"]);
}

/**
 * Listens to a client, if it is one that can be listened to.
 *
 * @returns Stops that.
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
      `"${name}" has to be a Redis client with a method "${method}", not ` +
        `${
          formatValue(client)
        }. Hand in two clients of node-redis, or wrap yours.`,
    );
  }
  if ((client as Emitter).isOpen !== false) return;
  throw new InvalidArgumentError(
    name,
    `The Redis client "${name}" is closed. Connect it before it is handed in: ` +
      `await ${name}.connect().`,
  );
}
