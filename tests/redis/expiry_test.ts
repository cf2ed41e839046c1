import type { RedisSessions } from "@crossmcp/session-manager/redis";
import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "node:test";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

/** More than one script removes from a set. */
const SESSIONS = 2_500;
const URI = "file:///a";

describeRedis("RedisSessions: many sessions that expire at once", () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(() => server?.[Symbol.asyncDispose]());

  it("L1 none is left, and others take their place", async () => {
    await using cluster = new RedisCluster(server);
    const [node] = await cluster.joinAll(1, {
      info: { idleTimeoutMs: 3_000, maxSessions: SESSIONS + 1 },
    });
    const { info } = node as RedisSessions;
    await Promise.all(
      Array.from(
        { length: SESSIONS },
        (_, index) => info.addSubscription(`s${index}`, URI),
      ),
    );
    await info.addSubscription("used", URI);
    await until(
      async () => {
        await info.setLogLevel("used", "info");
        return node!.stats().expired === SESSIONS;
      },
      () => `${SESSIONS} sessions to expire, got ${node!.stats().expired}`,
      PATIENCE_MS,
    );
    await info.addSubscription("new", URI);
    assertEquals((await info.getSubscriptions(URI)).sort(), ["new", "used"]);
  });
});
