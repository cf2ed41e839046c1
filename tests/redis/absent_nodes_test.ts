import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "node:test";
import { TestClient } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { ping } from "./support/ping.ts";
import { met, RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

const OPTIONS = {
  streams: { replay: {} },
  cluster: { heartbeatMs: 100, requestTimeoutMs: 300 },
};

describeRedis("RedisSessions: sessions of a node that is cut off", () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(() => server?.[Symbol.asyncDispose]());

  it("R1 H2 a session that began on a node that is cut off gets 503 on the others, until they know it", async () => {
    await using proxy = await TcpProxy.start(server.port);
    await using cluster = new RedisCluster(server);
    const a = await cluster.join(OPTIONS);
    const b = await cluster.joinThrough(proxy, OPTIONS);
    await met([a, b]);
    proxy.cut();
    await until(
      () => cluster.errors.length > 0 && a.nodes().length === 1,
      "both nodes to notice that one is cut off",
      PATIENCE_MS,
    );
    const client = await TestClient.begin(b);
    assertEquals(await ping(b, client), 200);
    assertEquals(await ping(a, client), 503);
    proxy.heal();
    await until(
      async () => {
        const status = await ping(a, client);
        if (status !== 200) assertEquals(status, 503);
        return status === 200;
      },
      "the session to be known",
      PATIENCE_MS,
    );
  });

  it("R1 H2 unknown sessions get 404 again after a node that was cut off has ended", async () => {
    await using proxy = await TcpProxy.start(server.port);
    await using cluster = new RedisCluster(server);
    const a = await cluster.join(OPTIONS);
    const b = await cluster.joinThrough(proxy, OPTIONS);
    await met([a, b]);
    proxy.cut();
    const unknown = { id: crypto.randomUUID() };
    await until(
      async () => await ping(a, unknown) === 503,
      "503 while a node is missing",
      PATIENCE_MS,
    );
    await until(
      async () => await ping(a, unknown) === 404,
      "404 when it is given up",
      PATIENCE_MS,
    );
  });
});
