import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { afterEach, beforeEach, it } from "node:test";
import { frame } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { openStream, textsOf } from "./support/open_stream.ts";
import { RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

/** How long a server is full, in milliseconds. */
const FULL_MS = 3_000;

/** How often commands ran between two counts. */
function since(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  name: string,
): number {
  return (after.get(name) ?? 0) - (before.get(name) ?? 0);
}

describeRedis("RedisSessions: a server that rejects writes", () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(() => server?.kill());

  for (const replay of [false, {}] as const) {
    const how = replay ? "with replay" : "without replay";

    it(`R6 R1 a full server is reported once, and loses nothing, ${how}`, async () => {
      await using cluster = new RedisCluster(server);
      const options = { streams: { replay } };
      const [a, b] = await cluster.joinAll(2, options);
      const streams = { a: openStream(), b: openStream() };
      await a!.streams.create("a", streams.a.controller);
      await b!.streams.create("b", streams.b.controller);
      const before = await server.commandCounts();
      await server.command("CONFIG", "SET", "maxmemory", "100kb");
      const start = performance.now();
      let sent = 0;
      const sends: (void | Promise<void>)[] = [];
      await until(
        async () => {
          sends.push(a!.streams.send(["a", "b"], frame(`${sent++}`)));
          sends.push(a!.info.setLogLevel("a", sent % 2 ? "info" : "debug"));
          assertEquals(await a!.streams.has("b"), true);
          assertEquals(await b!.streams.has("a"), true);
          return performance.now() - start > FULL_MS;
        },
        "the server to be full for a while",
        PATIENCE_MS,
      );
      const during = await server.commandCounts();
      for (const { message } of cluster.errors) {
        assertStringIncludes(message, "out of memory");
        assertStringIncludes(message, '"maxmemory"');
      }
      // Only the node that wrote has noticed, or both.
      assert([1, 2].includes(cluster.errors.length), cluster.errors.join());
      assertEquals(since(before, during, "script|load"), 0);
      assert(since(before, during, "info") < 40, "It asks too often.");
      await server.command("CONFIG", "SET", "maxmemory", "0");
      await Promise.all(sends);
      const expected = Array.from({ length: sent }, (_, at) => `${at}`);
      for (const stream of [streams.a, streams.b]) {
        assertEquals(await textsOf(stream, sent), expected);
      }
      const level = sent % 2 ? "info" : "debug";
      await until(
        // It is unknown while the other node has not noticed that writes work.
        () =>
          b!.info.getLogLevel("a").then(
            (stored) => stored === level,
            () => false,
          ),
        "the level to be stored",
        PATIENCE_MS,
      );
      const reported = cluster.errors.length;
      assert(reported <= 2, cluster.errors.join());
    });
  }

  it("R6 a server that is full again and again is reported once", async () => {
    await using cluster = new RedisCluster(server);
    const sessions = await cluster.join({ cluster: { heartbeatMs: 50 } });
    await sessions.streams.create("s", openStream().controller);
    for (let round = 0; round < 3; round++) {
      await server.command("CONFIG", "SET", "maxmemory", "100kb");
      void sessions.info.setLogLevel("s", "info");
      await until(
        async () => {
          await sessions.info.setLogLevel("s", round % 2 ? "info" : "alert");
          return cluster.errors.length > 0;
        },
        "a report",
        PATIENCE_MS,
      );
      await server.command("CONFIG", "SET", "maxmemory", "0");
      await until(
        async () =>
          await server.command("HEXISTS", `{${cluster.prefix}}:1:s:s`, "l") ===
            1,
        "the level to be stored",
        PATIENCE_MS,
      );
    }
    assertEquals(cluster.errors.length, 1, cluster.errors.join());
  });

  it("R6 too few replicas are reported by name", async () => {
    await using cluster = new RedisCluster(server);
    const sessions = await cluster.join();
    await server.command("CONFIG", "SET", "min-replicas-to-write", "1");
    await sessions.streams.create("s", openStream().controller);
    await until(() => cluster.errors.length > 0, "a report", PATIENCE_MS);
    assertStringIncludes(cluster.errors[0]!.message, "min-replicas-to-write");
    await server.command("CONFIG", "SET", "min-replicas-to-write", "0");
    const other = await cluster.join();
    await until(() => other.streams.has("s"), "the session", PATIENCE_MS);
    assertEquals(cluster.errors.length, 1, cluster.errors.join());
  });
});
