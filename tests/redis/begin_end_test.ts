import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "node:test";
import { RecordedCalls } from "../../src/testing/cases/operation/begin_end_cases.ts";
import { TestClient } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

describeRedis("RedisSessions: sessions that begin and end", () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(() => server?.[Symbol.asyncDispose]());

  it("O5 the sessions of a node that died expire, and are reported once", async () => {
    await using cluster = new RedisCluster(server);
    const { calls, options } = new RecordedCalls();
    const info = { idleTimeoutMs: 500 };
    // On a busy machine, some expire while it is there.
    const dead = await cluster.join({ ...options, info });
    const principal = "alice";
    const begun: string[] = [];
    while (begun.length < 20) {
      begun.push((await TestClient.begin(dead, { principal })).id);
    }
    await dead.close();
    // These nodes have never seen them.
    const nodes = [
      await cluster.join({ ...options, info }),
      await cluster.join({ ...options, info }),
    ];
    const found = () =>
      begun.filter((id) => calls.includes(`end ${id} expired`));
    await until(
      async () => {
        await Promise.all(
          nodes.map((node) => TestClient.begin(node, { principal })),
        );
        return found().length === begun.length;
      },
      () => `${begun.length} sessions to be reported, got ${found().length}`,
      PATIENCE_MS,
    );
    const ends = calls.filter((call) => call.startsWith("end "));
    assertEquals(ends.length, new Set(ends).size, "One was reported twice");
  });
});
