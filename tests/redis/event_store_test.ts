import { createEventStore } from "@crossmcp/session-manager/sdk";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { after, before, it } from "node:test";
import { until } from "../e2e/support/until.ts";
import {
  assertReplays,
  fill,
  range,
  replay,
  STANDALONE,
} from "../sdk/support/stores.ts";
import { RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

const REPLAY = { streams: { replay: {} } };

describeRedis("createEventStore, with RedisSessions", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.kill());

  it("K5 any node replays the events of a stream, in order, and of no other", async () => {
    await using cluster = new RedisCluster(server);
    const [a, b] = await cluster.joinAll(2, REPLAY);
    const here = createEventStore(a!, "s");
    const there = createEventStore(b!, "s");
    const others = createEventStore(a!, "other");
    const ids = await fill(here, STANDALONE, range(1, 100));
    await fill(here, "post", range(1_001, 1_010));
    await fill(others, STANDALONE, range(2_001, 2_010));
    await assertReplays(there, ids[0]!, STANDALONE, range(2, 100));
    await assertReplays(there, ids[99]!, STANDALONE, []);
    assertEquals((await replay(there, ids[0]!)).ids, ids.slice(1));
    for (const id of [ids[0]!, `0${ids[0]}`]) {
      const other = createEventStore(b!, "other");
      await assertRejects(() => replay(other, id));
    }
    assertEquals(cluster.errors, []);
  });

  it("K5 events outlive their node, and another one continues", async () => {
    await using cluster = new RedisCluster(server);
    const a = await cluster.join(REPLAY);
    const [first, second] = await fill(
      createEventStore(a, "s"),
      STANDALONE,
      [1, 2, 3],
    );
    await a.close();
    const b = await cluster.join(REPLAY);
    const store = createEventStore(b, "s");
    await assertReplays(store, first!, STANDALONE, [2, 3]);
    const [fourth] = await fill(store, STANDALONE, [4, 5]);
    await assertReplays(store, second!, STANDALONE, [3, 4, 5]);
    await assertReplays(store, fourth!, STANDALONE, [5]);
    await b.close();
    const c = createEventStore(await cluster.join(REPLAY), "s");
    await assertReplays(c, second!, STANDALONE, [3, 4, 5]);
    await assertReplays(c, fourth!, STANDALONE, [5]);
  });

  it("K5 is bounded in Redis, for each stream", async () => {
    for (const limit of [{ maxEvents: 10 }, { maxBytes: 1_500 }]) {
      await using cluster = new RedisCluster(server);
      const [a, b] = await cluster.joinAll(2, { streams: { replay: limit } });
      const here = createEventStore(a!, "s");
      const there = createEventStore(b!, "s");
      const ids = await fill(here, STANDALONE, range(1, 100));
      await fill(here, "post", range(1, 100));
      await assertRejects(() => replay(there, ids[80]!));
      await assertReplays(there, ids[96]!, STANDALONE, [98, 99, 100]);
      const keys = await server.command<string[]>(
        "KEYS",
        `{${cluster.prefix}}:1:v:*`,
      );
      assertEquals(keys.length, 2);
      for (const key of keys) {
        const length = await server.command<number>("XLEN", key);
        assert(length >= 3 && length <= 20, `There are ${length} events.`);
        assert(await server.command<number>("PTTL", key) > 0, "It stays.");
      }
    }
  });

  it("K5 events expire after replay.maxAgeMs", async () => {
    await using cluster = new RedisCluster(server);
    const maxAgeMs = 100;
    const [a, b] = await cluster.joinAll(2, {
      streams: { replay: { maxAgeMs } },
    });
    const here = createEventStore(a!, "s");
    const [first] = await fill(here, STANDALONE, [1, 2]);
    await until(async () => {
      const [newest] = await fill(here, STANDALONE, [3]);
      await assertReplays(createEventStore(b!, "s"), newest!, STANDALONE, []);
      const isGone = (error: unknown) =>
        (error as { argument?: string }).argument === "lastEventId";
      return await replay(createEventStore(b!, "s"), first!)
        .then(() => false, isGone);
    }, "the first event to expire");
  });

  it("K5 P5 during an outage, events are kept on their node; others report the gap", async () => {
    await using cluster = new RedisCluster(server);
    await using proxy = await TcpProxy.start(server.port);
    const a = await cluster.joinThrough(proxy, REPLAY);
    const b = await cluster.join(REPLAY);
    const here = createEventStore(a, "s");
    const there = createEventStore(b, "s");
    const [first] = await fill(here, STANDALONE, [1, 2]);
    proxy.cut();
    const [third] = await fill(here, STANDALONE, [3]);
    await assertReplays(here, first!, STANDALONE, [2, 3]);
    await assertRejects(() => replay(there, third!));
    proxy.heal();
    let last = "";
    await until(async () => {
      [last] = await fill(here, STANDALONE, [4]) as [string];
      return await replay(there, last).then(() => true, () => false);
    }, "an event to be stored");
    await assertRejects(() => replay(there, first!));
    await assertReplays(there, last, STANDALONE, []);
    await fill(here, STANDALONE, [5]);
    await assertReplays(there, last, STANDALONE, [5]);
  });
});
