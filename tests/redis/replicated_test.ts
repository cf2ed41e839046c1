import {
  createCluster as createCluster5,
  createSentinel as createSentinel5,
} from "@redis/client";
import {
  type RedisClient,
  RedisSessions,
} from "@crossmcp/session-manager/redis";
import { assert, assertEquals } from "@std/assert";
import { Cluster, Redis } from "ioredis";
import { it } from "node:test";
import { createCluster, createSentinel } from "redis";
import { frame } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { doEverything } from "./support/everything.ts";
import { IoRedis5 } from "./support/ioredis_5.ts";
import { openStream } from "./support/open_stream.ts";
import { met } from "./support/redis_cluster.ts";
import { describeRedis } from "./support/redis_server.ts";
import {
  type ReplicatedServers,
  startCluster,
  startSentinel,
} from "./support/replicated_servers.ts";

/** A client, and how to end it. */
interface Made {
  readonly client: RedisClient;
  readonly connect: () => Promise<unknown>;
  readonly end: () => unknown;
}

const RECONNECT_MS = 50;

/** Makes a client for the ports of a cluster, or of Sentinel. */
type Make = (ports: readonly number[]) => Made;

function ofNodeRedis(
  client: RedisClient & {
    on(event: "error", listener: () => void): unknown;
    connect(): Promise<unknown>;
    destroy(): unknown;
  },
): Made {
  client.on("error", () => {});
  return {
    client,
    connect: () => client.connect(),
    end: () => client.destroy(),
  };
}

function ofIoRedis(client: Redis | Cluster): Made {
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

const CLUSTER: Record<string, Make> = {
  "node-redis 6": (ports) =>
    ofNodeRedis(createCluster(nodeRedisCluster(ports))),
  "node-redis 5": (ports) =>
    ofNodeRedis(createCluster5(nodeRedisCluster(ports))),
  "ioredis 6": (ports) => ofIoRedis(new Cluster(hosts(ports))),
  ...(IoRedis5 && {
    "ioredis 5": (ports) => ofIoRedis(new IoRedis5Cluster(hosts(ports))),
  }),
};
const SENTINEL: Record<string, Make> = {
  "node-redis 6": (ports) =>
    ofNodeRedis(createSentinel(nodeRedisSentinel(ports))),
  "node-redis 5": (ports) =>
    ofNodeRedis(createSentinel5(nodeRedisSentinel(ports))),
  "ioredis 6": (ports) => ofIoRedis(new Redis(ioRedisSentinel(ports))),
  ...(IoRedis5 && {
    "ioredis 5": (ports) => ofIoRedis(new IoRedis5!(ioRedisSentinel(ports))),
  }),
};

/** Sends a text until a stream of another node has it. */
async function reaches(
  from: RedisSessions,
  stream: ReturnType<typeof openStream>,
): Promise<void> {
  const text = crypto.randomUUID();
  await from.streams.send(["moved"], frame(text));
  await until(
    () => stream.collector.events.some(({ data }) => data === text),
    "a message",
    PATIENCE_MS,
  );
}

/** Does everything with two nodes, before and after a failover. */
async function survive(
  start: () => Promise<ReplicatedServers>,
  make: Make,
  failsOver = true,
): Promise<void> {
  await using servers = await start();
  const made = [make(servers.ports), make(servers.ports)];
  const errors: Error[][] = [[], []];
  try {
    await Promise.all(made.map(({ connect }) => connect()));
    const nodes = made.map(({ client }, at) =>
      new RedisSessions(client, {
        cluster: { heartbeatMs: 200 },
        streams: { replay: {} },
        onError: (error) => void errors[at]!.push(error),
      })
    );
    const [here, there] = nodes as [RedisSessions, RedisSessions];
    try {
      await Promise.all(nodes.map(({ ready }) => ready));
      await met(nodes);
      await doEverything(here, there);
      assertEquals(errors, [[], []]);
      if (!failsOver) return;
      const stream = openStream();
      await here.streams.create("moved", stream.controller);
      await here.info.setLogLevel("moved", "alert");
      await reaches(there, stream);
      await servers.failOver("{mcp}:");
      await met(nodes);
      await reaches(there, stream);
      await reaches(here, stream);
      assertEquals(await there.streams.has("moved"), true);
      assertEquals(await there.info.getLogLevel("moved"), "alert");
      for (const reports of errors) assert(reports.length <= 1, `${reports}`);
    } finally {
      for (const node of nodes) await node.close();
    }
  } finally {
    for (const { end } of made) await end();
  }
}

describeRedis("RedisSessions: clients of Redis Cluster", () => {
  for (const [name, make] of Object.entries(CLUSTER)) {
    // Version 5 queues commands for a killed primary forever.
    if (name === "node-redis 5") {
      it(`R8 the cluster client of ${name} works`, () =>
        survive(startCluster, make, false));
      continue;
    }
    it(`R6 R8 the cluster client of ${name} works, also after a primary was killed`, () =>
      survive(startCluster, make));
  }
});

describeRedis("RedisSessions: clients of Sentinel", () => {
  for (const [name, make] of Object.entries(SENTINEL)) {
    it(`R6 R8 the Sentinel client of ${name} works, also after a failover`, () =>
      survive(startSentinel, make));
  }
});
