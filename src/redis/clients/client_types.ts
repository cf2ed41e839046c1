/** Receives a message of a channel. */
export type MessageListener = (message: string, channel: string) => void;

/**
 * Sends commands. A client of node-redis is one; write one for a client that is
 * not a {@linkcode RedisClient}.
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
 * Subscribes to channels. It needs its own connection, because with RESP2 a
 * connection in subscriber mode can do nothing else. It must subscribe again by
 * itself after a reconnect.
 */
export interface RedisSubscriber {
  /**
   * Subscribes to channels.
   *
   * @param channels The names of the channels.
   * @param listener Called with each message.
   */
  subscribe(channels: string[], listener: MessageListener): Promise<unknown>;
  /**
   * Unsubscribes from channels.
   *
   * @param channels The names of the channels.
   * @param listener The listener to remove.
   */
  unsubscribe(channels: string[], listener: MessageListener): Promise<unknown>;
}

/** A client of node-redis 5 or 6, from `createClient`. */
export interface NodeRedisClient extends RedisPublisher, RedisSubscriber {
  /** Whether it was connected, and not closed. */
  readonly isOpen: boolean;
  /** Creates a client with the same options. */
  duplicate(): object;
}

/** A client of node-redis 5 or 6 for a Redis Cluster, from `createCluster`. */
export interface NodeRedisCluster {
  /** Subscribes to channels. */
  subscribe(channels: string[], listener: MessageListener): Promise<unknown>;
  /** Unsubscribes from channels. */
  unsubscribe(channels: string[]): Promise<unknown>;
  /** Whether it was connected, and not closed. */
  readonly isOpen: boolean;
  /** The primaries. */
  readonly masters: readonly unknown[];
  /** Sends a command to the node that has a key. */
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: string[],
  ): Promise<unknown>;
}

/** A client of node-redis 5 or 6 for Sentinel, from `createSentinel`. */
export interface NodeRedisSentinel {
  /** Subscribes to channels. */
  subscribe(channels: string[], listener: MessageListener): Promise<unknown>;
  /** Unsubscribes from channels. */
  unsubscribe(channels: string[]): Promise<unknown>;
  /** Whether it was connected, and not closed. */
  readonly isOpen: boolean;
  /** Returns the current primary. */
  getMasterNode(): unknown;
  /** Sends a command to the primary or a replica. */
  sendCommand(
    isReadonly: boolean | undefined,
    args: string[],
  ): Promise<unknown>;
}

/** A `Redis` or `Cluster` of ioredis 5 or 6. */
export interface IoRedisClient {
  /** The state of the connection. */
  readonly status: string;
  /** Sends a command. */
  call(command: string, ...args: string[]): Promise<unknown>;
  /** Creates a client with the same options. */
  duplicate(): object;
}

/** Bun's `RedisClient`. */
export interface BunRedisClient {
  /** Whether it is connected. */
  readonly connected: boolean;
  /** Sends a command. */
  send(command: string, args: string[]): Promise<unknown>;
  /** Creates a client with the same options, and connects it. */
  duplicate(): Promise<object>;
}

/**
 * A client of a common library, recognized by what it has: node-redis 5 and 6
 * (client, cluster and sentinel), ioredis 5 and 6 (client and cluster), and
 * Bun's `RedisClient`.
 */
export type RedisClient =
  | NodeRedisClient
  | NodeRedisCluster
  | NodeRedisSentinel
  | IoRedisClient
  | BunRedisClient;

/**
 * Two clients of one Redis server, if you want to create both connections. You
 * close them.
 */
export interface RedisClients {
  /** Sends commands. */
  readonly publisher: RedisClient | RedisPublisher;
  /** Receives messages, over its own connection. */
  readonly subscriber: RedisClient | RedisSubscriber;
}
