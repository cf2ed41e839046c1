import type { RedisSessions } from "@crossmcp/session-manager/redis";
import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "node:test";
import { frame } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { MovingClient } from "./support/moving_client.ts";
import { met, RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

const OPTIONS = {
  streams: { replay: {} },
  cluster: { heartbeatMs: 200, requestTimeoutMs: 500 },
};

describeRedis(
  "RedisSessions: events that are appended again to a new log",
  () => {
    let server: RedisServer;
    beforeEach(async () => {
      server = await RedisServer.start();
    });
    afterEach(() => server?.[Symbol.asyncDispose]());

    /** Restarts the server without data, and waits until both nodes have it. */
    async function restart({ errors }: RedisCluster): Promise<void> {
      await server.kill();
      await until(() => errors.length >= 2, "the outage", PATIENCE_MS);
      await server.restart();
    }

    for (const isBroadcast of [true, false]) {
      const what = isBroadcast ? "a broadcast" : "a targeted event";
      const send = (node: RedisSessions, { id }: MovingClient, text: string) =>
        node.streams.send(isBroadcast ? undefined : [id], frame(text));

      it(`R1 S14 a client that got ${what} and moved to a new node gets it once`, async () => {
        await using cluster = new RedisCluster(server);
        const a = await cluster.join(OPTIONS);
        const client = await MovingClient.begin(a);
        await client.open(a);
        await send(a, client, "before");
        await client.gets("before");
        const b = await cluster.join(OPTIONS);
        await client.open(b);
        await restart(cluster);
        await send(a, client, "after");
        await client.gets("after");
        assertEquals(client.received, ["before", "after"]);
        await client.leave();
      });

      it(`R1 S15 an open stream that lacks ${what} gets it`, async () => {
        await using proxy = await TcpProxy.start(server.port);
        await using cluster = new RedisCluster(server);
        const a = await cluster.join(OPTIONS);
        const b = await cluster.joinThrough(proxy, OPTIONS);
        await met([a, b]);
        const client = await MovingClient.begin(b);
        await client.open(b);
        proxy.silenceSubscribers();
        await send(a, client, "before");
        await restart(cluster);
        await send(a, client, "after");
        await client.gets("after");
        assertEquals(client.received, ["before", "after"]);
        await client.leave();
      });
    }

    it("R1 a session that began after a broadcast does not get it", async () => {
      await using cluster = new RedisCluster(server);
      const a = await cluster.join(OPTIONS);
      await a.streams.send(undefined, frame("before"));
      const b = await cluster.join(OPTIONS);
      const client = await MovingClient.begin(b);
      await client.open(b);
      await restart(cluster);
      await a.streams.send(undefined, frame("after"));
      await client.gets("after");
      assertEquals(client.received, ["after"]);
      await client.leave();
    });
  },
);
