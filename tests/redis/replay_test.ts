import type { RedisSessions } from "@crossmcp/session-manager/redis";
import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, it } from "node:test";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { type OpenStream, openStream, textsOf } from "./support/open_stream.ts";
import { RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { sessionRegistryOf } from "../../src/metadata/stored_info_session_manager.ts";
import { resetCounts } from "../support/empty_stats.ts";

const REPLAY = { streams: { replay: {} } };

const frame = (text: string) => `data: ${text}\n\n`;

/**
 * Opens the stream of a session, after its client's last event ID if it has
 * one.
 */
async function open(
  { streams }: RedisSessions,
  id: string,
  lastEventId?: string,
): Promise<OpenStream> {
  const stream = openStream();
  streams.prepareStream(id, { lastEventId, prime: "named" });
  await streams.create(id, stream.controller);
  return stream;
}

/** Waits for the last event ID of a client. */
async function positionOf({ collector }: OpenStream): Promise<string> {
  await collector.until(() => collector.lastEventId !== "");
  return collector.lastEventId;
}

describeRedis("RedisSessions: replay", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.kill());

  it("S14 an event that a node has missed is delivered once, after newer ones were", async () => {
    await using cluster = new RedisCluster(server);
    const [a, b] = await cluster.joinAll(2, REPLAY);
    const stream = await open(b!, "s");
    const expected: string[] = [];
    for (let round = 0; round < 5; round++) {
      // The subscriber is disconnected, and receives what comes next.
      await server.command("CLIENT", "KILL", "TYPE", "pubsub");
      await a!.streams.send(["s"], frame(`some ${round}`));
      await a!.streams.send(undefined, frame(`all ${round}`));
      expected.push(`some ${round}`, `all ${round}`);
      assertEquals(
        (await textsOf(stream, expected.length)).sort(),
        expected.toSorted(),
      );
    }
  });

  it("S14 H3 the second of two streams that a client opens at once gets what it has missed", async () => {
    await using cluster = new RedisCluster(server);
    const [a] = await cluster.joinAll(1, REPLAY);
    const first = await open(a!, "s");
    await a!.streams.send(["s"], frame("1"));
    await textsOf(first, 1);
    const { lastEventId } = first.collector;
    await first.collector.cancel();
    await a!.streams.send(["s"], frame("2"));
    // Both requests have arrived before either has its stream.
    const requests = [openStream(), openStream()];
    const intent = { lastEventId, persistent: true };
    const revoke = requests.map(() => a!.streams.prepareStream("s", intent));
    const created: (void | Promise<void>)[] = [];
    for (const { controller } of requests) {
      assertEquals(await a!.streams.has("s"), false);
      created.push(a!.streams.create("s", controller));
    }
    for (const end of revoke) end();
    assertEquals(await a!.streams.has("s"), true);
    await Promise.all(created);
    assertEquals(await textsOf(requests[1]!, 1), ["2"]);
  });

  it("S14 a session that moved gets nothing older again", async () => {
    await using cluster = new RedisCluster(server);
    const [a, b] = await cluster.joinAll(2, REPLAY);
    const first = await open(a!, "s");
    for (const text of ["1", "2", "3"]) {
      await a!.streams.send(["s"], frame(text));
    }
    await textsOf(first, 3);
    const second = await open(b!, "s", first.collector.lastEventId);
    await server.command("CLIENT", "KILL", "TYPE", "pubsub");
    await a!.streams.send(undefined, frame("all"));
    assertEquals(await textsOf(second, 1), ["all"]);
    await a!.streams.send(["s"], frame("end"));
    assertEquals(await textsOf(second, 2), ["all", "end"]);
  });

  it("S15 a session that was idle for long gets no reset without a reason", async () => {
    await using cluster = new RedisCluster(server);
    const maxAgeMs = 100;
    const options = { streams: { replay: { maxAgeMs } } };
    const [a, b] = await cluster.joinAll(2, options);
    let stream = await open(a!, "s");
    for (const node of [b!, a!, b!]) {
      const position = await positionOf(stream);
      await node.streams.delete("s");
      // So long that nothing would be kept any more.
      await delay(5 * maxAgeMs);
      stream = await open(node, "s", position);
      await node.streams.send(["s"], frame("hello"));
      assertEquals((await textsOf(stream, 1))[0], "hello");
    }
    for (const node of [a!, b!]) {
      assertEquals(node.stats().resets, resetCounts());
    }
  });

  it("S17 a busy session keeps no more than its share of events", async () => {
    await using cluster = new RedisCluster(server);
    const [a] = await cluster.joinAll(1, {
      streams: { replay: { maxEvents: 10 } },
    });
    const stream = await open(a!, "s");
    for (let count = 1; count <= 500; count++) {
      await a!.streams.send(["s"], frame(`${count}`));
      if (count % 50 === 0) await textsOf(stream, count);
    }
    const { prefix } = cluster;
    const kept = async (command: string, key: string) =>
      Number(await server.command(command, `{${prefix}}:1:${key}`));
    assertEquals(await kept("XLEN", "events"), 10);
    // The index is trimmed now and then: after one event of 16 on average.
    assert(await kept("ZCARD", "e:s") <= 200);
  });

  it("C6 messages for an earlier node of the same name cause no work", async () => {
    await using cluster = new RedisCluster(server);
    const named = { ...REPLAY, cluster: { node: "a" } };
    const earlier = await cluster.join(named);
    const stream = await open(earlier, "s");
    await earlier.streams.send(["s"], frame("one"));
    const [one] = await textsOf(stream, 1);
    assertEquals(one, "one");
    const position = stream.collector.lastEventId;
    await earlier.close();
    const later = await cluster.join(named);
    await later.streams.send(["s"], frame("two"));
    await server.command("CONFIG", "RESETSTAT");
    await delay(500);
    const calls = (await server.commandCounts()).get("evalsha") ?? 0;
    assert(calls < 50, `${calls} commands while nothing happens`);
    assertEquals(await textsOf(await open(later, "s", position), 1), ["two"]);
  });

  it("H2 a session can begin while frames are sent without end", async () => {
    await using cluster = new RedisCluster(server);
    const [a] = await cluster.joinAll(1, REPLAY);
    let isOver = false;
    const sending = (async () => {
      while (!isOver) {
        await a!.streams.send(undefined, frame("again"));
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    })();
    let isRegistered = false;
    const registering = Promise.resolve(
      sessionRegistryOf(a!.info).register("new", {
        principal: undefined,
        startEventId: undefined,
      }),
    )
      .then(() => isRegistered = true);
    await until(() => isRegistered, "the session to begin", PATIENCE_MS)
      .finally(() => isOver = true);
    await Promise.all([sending, registering]);
  });
});
