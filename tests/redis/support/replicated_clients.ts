import {
  createCluster as createCluster5,
  createSentinel as createSentinel5,
} from "@redis/client";
import type { RedisClient } from "@crossmcp/session-manager/redis";
import { Cluster, Redis } from "ioredis";
import { createCluster, createSentinel } from "redis";
import { IoRedis5 } from "./ioredis_5.ts";

/** A client, and how to end it. */
export interface MadeClient {
  readonly client: RedisClient;
  readonly connect: () => Promise<unknown>;
  readonly end: () => unknown;
}

const RECONNECT_MS = 50;

/** Makes a client for the ports of a cluster, or of Sentinel. */
export type MakeClient = (ports: readonly number[]) => MadeClient;

function ofNodeRedis(
  client: RedisClient & {
    on(event: "error", listener: () => void): unknown;
    connect(): Promise<unknown>;
    destroy(): unknown;
  },
): MadeClient {
  client.on("error", () => {});
  return {
    client,
    connect: () => client.connect(),
    end: () => client.destroy(),
  };
}

function ofIoRedis(client: Redis | Cluster): MadeClient {
  client.on("error", () => {});
  return {
    client,
    connect: () =>
      new Promise<void>((resolve) => client.once("ready", () => resolve())),
    end: () => client.disconnect(),
  };
}

function nodeRedisCluster(ports: readonly number[]) {
  return {
    rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })),
    defaults: { socket: { reconnectStrategy: () => RECONNECT_MS } },
  };
}

function nodeRedisSentinel(ports: readonly number[]) {
  return {
    name: "main",
    sentinelRootNodes: hosts(ports),
  };
}

function hosts(ports: readonly number[]) {
  return ports.map((port) => ({ host: "127.0.0.1", port }));
}

function ioRedisSentinel(ports: readonly number[]) {
  return {
    name: "main",
    sentinels: hosts(ports),
    maxRetriesPerRequest: null,
    retryStrategy: () => RECONNECT_MS,
    sentinelRetryStrategy: () => RECONNECT_MS,
  };
}

const IoRedis5Cluster = (IoRedis5 as unknown as { Cluster: typeof Cluster })
  ?.Cluster;

/** The clients for Redis Cluster. */
export const CLUSTER_CLIENTS: Readonly<Record<string, MakeClient>> = {
  "node-redis 6": (ports) =>
    ofNodeRedis(createCluster(nodeRedisCluster(ports))),
  "node-redis 5": (ports) =>
    ofNodeRedis(createCluster5(nodeRedisCluster(ports))),
  "ioredis 6": (ports) => ofIoRedis(new Cluster(hosts(ports))),
  ...(IoRedis5 && {
    "ioredis 5": (ports) => ofIoRedis(new IoRedis5Cluster(hosts(ports))),
  }),
};
/** The clients for Sentinel. */
export const SENTINEL_CLIENTS: Readonly<Record<string, MakeClient>> = {
  "node-redis 6": (ports) =>
    ofNodeRedis(createSentinel(nodeRedisSentinel(ports))),
  "node-redis 5": (ports) =>
    ofNodeRedis(createSentinel5(nodeRedisSentinel(ports))),
  "ioredis 6": (ports) => ofIoRedis(new Redis(ioRedisSentinel(ports))),
  ...(IoRedis5 && {
    "ioredis 5": (ports) => ofIoRedis(new IoRedis5!(ioRedisSentinel(ports))),
  }),
};
