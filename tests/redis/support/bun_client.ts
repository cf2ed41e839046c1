import type { Clients, Connection } from "./clients.ts";

/** Bun's built-in client, as far as a node needs it. */
interface BunRedisClient {
  connect(): Promise<void>;
  close(): void;
  send(command: string, args: string[]): Promise<unknown>;
  subscribe(
    channels: string[],
    listener: (message: string, channel: string) => void,
  ): Promise<unknown>;
  unsubscribe(channels: string[]): Promise<unknown>;
}

interface BunGlobal {
  readonly RedisClient: new (
    url: string,
    options: { maxRetries: number },
  ) => BunRedisClient;
}

/** The clients of a node on Bun. */
export function bunClients(
  { port, username, password }: Connection,
): Clients {
  const { RedisClient } = (globalThis as unknown as { Bun: BunGlobal }).Bun;
  const user = username === undefined ? "" : `${username}:${password}@`;
  const make = () =>
    new RedisClient(`redis://${user}127.0.0.1:${port}`, { maxRetries: 1e6 });
  const [publisher, subscriber] = [make(), make()];
  const both = [publisher, subscriber];
  return {
    publisher: {
      sendCommand: ([name, ...args]) => publisher.send(name!, args),
    },
    subscriber,
    connected: Promise.all(both.map((client) => client.connect())),
    // deno-lint-ignore require-await
    async [Symbol.asyncDispose]() {
      for (const client of both) client.close();
    },
  };
}
