import { assertEquals } from "@std/assert";
import { it } from "node:test";
import { TestClient } from "../../src/testing/support/test_client.ts";
import {
  beginOnAll,
  LIMIT,
  LIMITED,
  subscribeOnAll,
} from "../support/concurrent_limits.ts";
import { RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

describeRedis("RedisSessions: limits of a cluster", () => {
  it("L2 L5 hold exactly, when three nodes reach them at once", async () => {
    await using server = await RedisServer.start();
    await using cluster = new RedisCluster(server);
    const nodes = await cluster.joinAll(3, LIMITED);
    for (let round = 0; round < 5; round++) {
      assertEquals(await beginOnAll(nodes, `user ${round}`), LIMIT);
      const { id } = await TestClient.begin(nodes[0]!);
      assertEquals(await subscribeOnAll(nodes, id, "first"), LIMIT);
      assertEquals(await subscribeOnAll(nodes, id, "second"), 0);
    }
  });
});
