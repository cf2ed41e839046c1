import { assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { RedisNode } from "../../src/redis/redis_node.ts";
import type { LogState } from "../../src/redis/redis_component.ts";
import { createStores } from "../../src/redis/stores.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

const SETTINGS = {
  maxEvents: 100,
  maxBytes: 1_000_000,
  maxAgeMs: 60_000,
  maxShare: 1,
};

/** Starts a node with a log, and records what it delivers. */
async function startNode(cluster: RedisCluster) {
  const redisNode = new RedisNode(await cluster.connect(), "sessions", {
    prefix: cluster.prefix,
    // Nothing is read from the log by itself.
    cluster: { heartbeatMs: 5_000 },
  });
  const { stores, log: logOf } = createStores(redisNode, 60_000);
  stores.log!(SETTINGS);
  const log = logOf()!;
  const directory = stores.directory!(() => {});
  const delivered: string[] = [];
  log.start({
    deliver: (_target, frame) => void delivered.push(frame),
    reset: () => {},
  });
  redisNode.start();
  await redisNode.ready;
  return { redisNode, log, directory, delivered };
}

describeRedis("RedisEventLog: a session that has moved here", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.[Symbol.asyncDispose]());

  it("R1 S14 an event that its client had is not delivered again if the state of the log arrives while the log is read", async () => {
    await using cluster = new RedisCluster(server);
    const a = await startNode(cluster);
    const b = await startNode(cluster);
    try {
      await a.directory.claim("s");
      a.log.append(["s"], ["data: one\n\n"]);
      await until(() => a.delivered.length === 1, "an event", PATIENCE_MS);
      const [, lastEventId] = /^id: (\S+)/m.exec(a.delivered[0]!)!;
      let state: LogState | undefined;
      a.redisNode.components.add({ onLogState: (read) => void (state = read) });
      await a.redisNode.refreshLogState();
      await b.directory.claim("s");
      await b.log.missed({ session: "s", transport: undefined, lastEventId });
      b.log.onResubscribed();
      b.log.onLogState({ ...state!, lastDirect: 0 });
      a.log.append(["s"], ["data: two\n\n"]);
      await until(
        () => b.delivered.some((text) => text.includes("two")),
        "the next event",
        PATIENCE_MS,
      );
      assertEquals(b.delivered.length, 1, b.delivered.join());
    } finally {
      await a.redisNode.close();
      await b.redisNode.close();
    }
  });
});
