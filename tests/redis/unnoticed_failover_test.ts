import { RedisSessions } from "@crossmcp/session-manager/redis";
import { assertEquals } from "@std/assert";
import { it } from "node:test";
import { Script } from "../../src/redis/connection/script.ts";
import { TestClient } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { ping } from "./support/ping.ts";
import { met } from "./support/redis_cluster.ts";
import { describeRedis } from "./support/redis_server.ts";
import { CLUSTER_CLIENTS } from "./support/replicated_clients.ts";
import { startCluster } from "./support/replicated_servers.ts";

/** Clients that send a command again where its slot has moved to. */
const CASES: readonly [name: string, hasScripts: boolean][] = [
  ["node-redis 6", false],
  ["ioredis 6", false],
  // Redis 6.2 replicates them.
  ["ioredis 6", true],
];

describeRedis("RedisSessions: a failover that no command has noticed", () => {
  for (const [name, hasScripts] of CASES) {
    const which = hasScripts ? ", and has the scripts," : "";
    it(`R1 H2 a session that the new primary of a Redis Cluster lacks${which} gets no 404, with ${name}`, async () => {
      await using servers = await startCluster();
      const made = [1, 2].map(() => CLUSTER_CLIENTS[name]!(servers.ports));
      try {
        await Promise.all(made.map(({ connect }) => connect()));
        const nodes = made.map(({ client }) =>
          new RedisSessions(client, {
            streams: { replay: {} },
            // Nothing is noticed by itself.
            cluster: { heartbeatMs: 3_000, requestTimeoutMs: 20_000 },
          })
        );
        const [a, b] = nodes as [RedisSessions, RedisSessions];
        try {
          await Promise.all(nodes.map(({ ready }) => ready));
          await met(nodes);
          await servers.detachReplica("{mcp}:");
          const client = await TestClient.begin(a);
          assertEquals(await ping(b, client), 200);
          const scripts = hasScripts ? Script.all : [];
          await servers.takeOver("{mcp}:", scripts.map(({ text }) => text));
          const statuses = new Set<number>();
          await until(
            async () => {
              for (const node of [b, a]) statuses.add(await ping(node, client));
              const status = await ping(b, client);
              statuses.add(status);
              return status === 200;
            },
            () => `the session to be known again, got ${[...statuses]}`,
            PATIENCE_MS,
          );
          assertEquals(statuses.has(404), false, `${[...statuses]}`);
        } finally {
          for (const node of nodes) await node.close();
        }
      } finally {
        for (const { end } of made) await end();
      }
    });
  }
});
