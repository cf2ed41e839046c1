import { RedisSessions } from "@crossmcp/session-manager/redis";
import type { ClusterNodeOptions } from "@crossmcp/session-manager/testing";
import { type ClientKind, makeClient } from "../../redis/support/clients.ts";
import { RedisServer } from "../../redis/support/redis_server.ts";
import { TcpProxy } from "../../redis/support/tcp_proxy.ts";
import type { FaultName } from "../faults.ts";
import { Link } from "../links.ts";
import { inspectKeys } from "./redis_keys.ts";
import type { MadeNode, Store } from "./store.ts";

const LIBRARIES: readonly ClientKind[] = [
  "node-redis 6, RESP3",
  "ioredis 6, RESP3",
  "node-redis 6, RESP2",
  "node-redis 5, RESP3",
  "ioredis 6, RESP2",
];

/** One Redis server, with a proxy in front of it for each node. */
export class RedisStore implements Store {
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

  async join(options: ClusterNodeOptions, library: number): Promise<MadeNode> {
    const proxy = await TcpProxy.start(this.#server.port);
    const kind = LIBRARIES[library % LIBRARIES.length]!;
    const made = makeClient({ port: proxy.port }, kind);
    // It may be down now.
    made.connected.catch(() => {});
    await made.connected;
    return {
      sessions: new RedisSessions(made.client, options),
      link: new Link(proxy),
      disconnect: async () => {
        await made[Symbol.asyncDispose]();
        await proxy[Symbol.asyncDispose]();
      },
    };
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
