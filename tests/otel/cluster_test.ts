import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { beginSession } from "../e2e/support/guarded.ts";
import { until } from "../e2e/support/until.ts";
import { met, RedisCluster } from "../redis/support/redis_cluster.ts";
import { describeRedis, RedisServer } from "../redis/support/redis_server.ts";
import { assertAgrees, durationsOf } from "./support/expected_samples.ts";
import { InstrumentedNode } from "./support/instrumented_node.ts";

/** Begins and ends sessions on two nodes, and expects what both count. */
async function useBoth(
  a: InstrumentedNode,
  b: InstrumentedNode,
): Promise<void> {
  const ids: string[] = [];
  for (const { url } of [a, a, a, b]) ids.push(await beginSession(url));
  await a.sessions.info.addSubscription(ids[3]!, "file:///news");
  assertEquals(await b.end(ids[0]!), 200);
  assertEquals(await a.sessions.end({ session: ids[3]! }), 1);
  for (let count = 0; count < 20; count++) {
    await a.sessions.notify({ method: "notifications/tools/list_changed" });
  }
  const none = { deleted: 0, ended: 0, expired: 0 };
  const counts = [];
  for (const { endpoint, sessions } of [a, b]) {
    const { begun, ended } = await assertAgrees(endpoint, sessions);
    // On a slow machine, some may have expired.
    counts.push({ begun, ended: { ...ended, expired: 0 } });
    // Each has ended one, whose beginning the other node has seen.
    const { count, sum } = (await durationsOf(endpoint))!;
    assert(count >= 1, `${count} durations`);
    assert(sum >= 0 && sum < 60, `${sum} s`);
  }
  assertEquals(counts, [
    { begun: 3, ended: { ...none, ended: 1 } },
    { begun: 1, ended: { ...none, deleted: 1 } },
  ]);
}

describe("instrumentSessions, on several nodes", () => {
  it("O5 nodes on a network that loses messages count them, and who began and ended what", async () => {
    const network = new LossyNetwork({ dropRate: 0.2 });
    const cluster = { heartbeatMs: 200, requestTimeoutMs: 2_000 };
    await using first = new ClusterSessions(network.bus(), { cluster });
    await using second = new ClusterSessions(network.bus(), { cluster });
    await Promise.all([first.ready, second.ready]);
    await using a = await InstrumentedNode.start(first);
    await using b = await InstrumentedNode.start(second);
    await until(
      () => [first, second].every((node) => node.nodes().length === 2),
      "the nodes to know each other",
    );
    await useBoth(a, b);
    await until(
      () => first.stats().cluster.resent + second.stats().cluster.resent > 0,
      "a retransmission",
    );
    const { cluster: { nodes } } = await assertAgrees(a.endpoint, first);
    assertEquals(nodes, 2);
  });
});

describeRedis("instrumentSessions, over Redis", () => {
  it("O5 nodes count who began and ended what, and an outage", async () => {
    await using server = await RedisServer.start();
    await using cluster = new RedisCluster(server);
    const options = { info: { idleTimeoutMs: 1_000 } };
    const first = await cluster.join(options);
    const second = await cluster.join(options);
    await met([first, second]);
    await using a = await InstrumentedNode.start(first);
    await using b = await InstrumentedNode.start(second);
    await useBoth(a, b);
    // The other two expire. One node counts each.
    const expired = () =>
      first.stats().ended.expired + second.stats().ended.expired;
    await until(() => expired() === 2, "the sessions to expire", 20_000);
    const before = first.stats().cluster.outages;
    assertEquals(before, 0);
    await server.kill();
    await until(
      () => first.stats().cluster.outages === 1,
      "the outage",
      20_000,
    );
    await assertAgrees(a.endpoint, first);
    await assertAgrees(b.endpoint, second);
    let count = 0;
    for (const { endpoint } of [a, b]) {
      count += (await durationsOf(endpoint))!.count;
    }
    assertEquals(count, 4);
  });
});
