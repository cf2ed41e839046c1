import { assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { frame } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { MovingClient } from "./support/moving_client.ts";
import { met, RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

describeRedis(
  "RedisSessions: a session that moves to a node which its old node has not met",
  () => {
    let server: RedisServer;
    before(async () => {
      server = await RedisServer.start();
    });
    after(() => server?.[Symbol.asyncDispose]());

    for (const replay of [false, {}] as const) {
      it(`S7 C5 is found and reached from the old node when they have met, ${replay ? "with" : "without"} replay`, async () => {
        const options = {
          streams: { replay },
          cluster: { heartbeatMs: 100, requestTimeoutMs: 300 },
        };
        await using proxy = await TcpProxy.start(server.port);
        await using cluster = new RedisCluster(server);
        const a = await cluster.joinThrough(proxy, options);
        const client = await MovingClient.begin(a);
        await client.open(a);
        proxy.silenceNew(true);
        proxy.silenceSubscribers();
        await client.leave();
        const b = await cluster.join(options);
        await client.open(b);
        assertEquals(b.nodes().length, 1, "They have met");
        proxy.silenceNew(false);
        await met([a, b]);
        await until(
          () => a.streams.has(client.id),
          "the old node to know of the stream",
          PATIENCE_MS,
        );
        await a.streams.send([client.id], frame("hello"));
        await client.gets("hello");
        await client.leave();
      });
    }
  },
);
