import type { ClusterError } from "@crossmcp/session-manager";
import type { RedisSessions } from "@crossmcp/session-manager/redis";
import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "node:test";
import { TestClient } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

const OPTIONS = { cluster: { heartbeatMs: 200, requestTimeoutMs: 500 } };
/** How often a session that ended is asked for afterwards. */
const CHECKS = 200;

/** The status of a request of a session on each node. */
function statuses(
  nodes: readonly RedisSessions[],
  id: string,
  principal: string,
): Promise<number[]> {
  return Promise.all(
    nodes.map((node) => new TestClient(node, { id, principal }).ping()),
  );
}

/** Expects that a session is gone for good, also for a node that joins now. */
async function assertGone(
  cluster: RedisCluster,
  nodes: readonly RedisSessions[],
  id: string,
): Promise<void> {
  // It has only what is in Redis.
  const all = [...nodes, await cluster.join(OPTIONS)];
  await until(
    async () => (await statuses(all, id, "alice")).every((it) => it === 404),
    "404 on all nodes",
    PATIENCE_MS,
  );
  for (let check = 0; check < CHECKS; check++) {
    // 503 if a node is still reconnecting.
    assert(!(await statuses(all, id, "alice")).includes(200));
  }
}

describeRedis("RedisSessions: sessions that are ended", () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(() => server?.[Symbol.asyncDispose]());

  for (const state of ["empty", "in an older state"]) {
    for (const time of ["before", "during", "after"]) {
      it(`O3 Redis is killed ${time} the call, and comes back ${state}`, async () => {
        await using cluster = new RedisCluster(server);
        const nodes = await cluster.joinAll(2, OPTIONS);
        const [a, b] = nodes as [RedisSessions, RedisSessions];
        const ended = await TestClient.begin(a, { principal: "alice" });
        const kept = await TestClient.begin(a, { principal: "bob" });
        const { id } = ended;
        // Both nodes have them in their caches.
        assertEquals(await statuses(nodes, id, "alice"), [200, 200]);
        assertEquals(await statuses(nodes, kept.id, "bob"), [200, 200]);
        const moved = new TestClient(b, { id, principal: "alice" });
        const stream = await moved.listen();
        await until(() => a.streams.has(id), "the stream", PATIENCE_MS);
        const snapshot = await server.snapshot();

        if (time === "before") await server.kill();
        let error: unknown;
        const ending = a.end({ principal: "alice" }).catch((e) => error = e);
        if (time === "during") await server.kill();
        await ending;
        if (time === "after") await server.kill();
        if (time === "before") {
          assertEquals((error as ClusterError).code, "ERR_CLUSTER");
        }
        if (time === "after") assertEquals(error, undefined);
        await server.restart(state === "empty" ? undefined : snapshot);

        // As the error says: until it succeeds.
        await until(
          async () => {
            if (error === undefined) return true;
            try {
              await a.end({ principal: "alice" });
              return true;
            } catch {
              return false;
            }
          },
          "end to succeed",
          PATIENCE_MS,
        );
        await until(
          async () => `${await statuses(nodes, id, "alice")}` === "404,404",
          "404 on both nodes",
          PATIENCE_MS,
        );
        await until(
          async () => `${await statuses(nodes, kept.id, "bob")}` === "200,200",
          "200 for the other session",
          PATIENCE_MS,
        );
        assertEquals((await stream.end()).ended, "closed");
        await assertGone(cluster, nodes, id);
        assert(!await b.streams.has(id));
      });
    }
  }

  it("O3 what a node has ended stays ended, without a second call", async () => {
    await using cluster = new RedisCluster(server);
    const nodes = await cluster.joinAll(2, OPTIONS);
    const [a] = nodes;
    const { id } = await TestClient.begin(a!, { principal: "alice" });
    assertEquals(await statuses(nodes, id, "alice"), [200, 200]);
    const snapshot = await server.snapshot();
    await server.kill();
    let error: unknown;
    await a!.end({ session: id }).catch((e) => error = e);
    assertEquals((error as ClusterError).code, "ERR_CLUSTER");
    // It does not know of the session any more, and must not ask.
    assertEquals(
      await new TestClient(a!, { id, principal: "alice" }).ping(),
      404,
    );
    await server.restart(snapshot);
    await assertGone(cluster, nodes, id);
  });
});
