import type {
  BunRedisClient,
  RedisSubscriber,
} from "@crossmcp/session-manager/redis";
import type { Connection, OneClient } from "./clients.ts";

/** Bun's client, as far as tests use it. */
interface BunClient extends BunRedisClient, RedisSubscriber {
  connect(): Promise<void>;
  close(): void;
}

interface BunGlobal {
  readonly RedisClient: new (
    url: string,
    options: { maxRetries: number },
  ) => BunClient;
}

/** Creates a client on Bun, which connects by itself. */
export function makeBunClient(
  { port, username, password }: Connection,
): OneClient {
  const { RedisClient } = (globalThis as unknown as { Bun: BunGlobal }).Bun;
  const user = username === undefined ? "" : `${username}:${password}@`;
  const url = `redis://${user}127.0.0.1:${port}`;
  const client = new RedisClient(url, { maxRetries: 1e6 });
  return {
    client,
    connected: client.connect(),
    // deno-lint-ignore require-await
    async [Symbol.asyncDispose]() {
      client.close();
    },
  };
}
