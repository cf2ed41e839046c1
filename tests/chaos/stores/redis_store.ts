import { RedisServer } from "../../redis/support/redis_server.ts";
import type { FaultName } from "../faults.ts";
import { openProxy } from "./open_proxy.ts";
import { inspectKeys } from "./redis_keys.ts";
import type { Access, Store } from "./store.ts";

/** One Redis server, with a proxy in front of it for each node. */
export class RedisStore implements Store {
  readonly name = "redis";
  readonly faults: readonly FaultName[] = [
    "kill",
    "empty",
    "older",
    "pause",
    "flush",
    "full",
    "cut",
    "silence",
    "silent subscriber",
    "reset subscriber",
    "reset commands",
    "delay",
    "block",
  ];
  readonly keepsEvents = true;
  readonly #server: RedisServer;
  #snapshot = "";

  private constructor(server: RedisServer) {
    this.#server = server;
  }

  /** Starts a server. */
  static async start(): Promise<RedisStore> {
    return new RedisStore(await RedisServer.start());
  }

  access(): Promise<Access> {
    return openProxy(this.#server.port);
  }

  async snapshot(): Promise<void> {
    this.#snapshot = await this.#server.snapshot();
  }

  async fail(fault: FaultName): Promise<() => Promise<void>> {
    const server = this.#server;
    switch (fault) {
      case "kill": {
        const snapshot = await server.snapshot();
        await server.kill();
        return () => server.restart(snapshot);
      }
      case "empty":
        await server.kill();
        return () => server.restart();
      case "older":
        await server.kill();
        return () => server.restart(this.#snapshot);
      case "pause":
        server.pause();
        // deno-lint-ignore require-await
        return async () => server.resume();
      case "flush":
        await server.command("FLUSHALL");
        return async () => {};
      case "full":
        await server.command("CONFIG", "SET", "maxmemory", "100kb");
        return async () => {
          await server.command("CONFIG", "SET", "maxmemory", "0");
        };
      default:
        throw new Error(`A Redis server has no fault "${fault}".`);
    }
  }

  inspect(): Promise<string[]> {
    return inspectKeys((...args) => this.#server.command(...args));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
