import type { RedisSessions } from "@crossmcp/session-manager/redis";
import { assert, assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { frame } from "../../src/testing/support/test_client.ts";
import { TestSubscriber } from "../../src/testing/support/test_subscriber.ts";
import { CommandsSeen, type Seen } from "./support/commands_seen.ts";
import { type OpenStream, openStream, textsOf } from "./support/open_stream.ts";
import { RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

/** So rare that nothing in a test is caused by it. */
const NEVER = { heartbeatMs: 60_000 };

/** The commands that clients sent, without those of their scripts. */
function sent(seen: readonly Seen[]): string[] {
  return seen.filter(({ from }) => from !== "lua").map(({ name }) => name);
}

/** Without acknowledgements, which nodes may still owe for earlier messages. */
function withoutAcks(seen: readonly Seen[]): Seen[] {
  return seen.filter(({ args }) => !/"kind\\":\\"ack\\"/.test(args[1] ?? ""));
}

function count(names: readonly string[], ...counted: string[]): number {
  return names.filter((name) => counted.includes(name)).length;
}

/** Opens the streams of many sessions on a node. */
async function openMany(
  { streams }: RedisSessions,
  ids: readonly string[],
): Promise<OpenStream[]> {
  const opened = ids.map(() => openStream());
  await Promise.all(
    ids.map((id, at) => streams.create(id, opened[at]!.controller)),
  );
  return opened;
}

function idsOf(name: string, length: number): string[] {
  return Array.from({ length }, (_, index) => `${name}${index}`);
}

describeRedis("RedisSessions: commands", () => {
  let server: RedisServer;
  let seen: CommandsSeen;
  before(async () => {
    server = await RedisServer.start();
    seen = await CommandsSeen.of(server);
  });
  after(async () => {
    await seen?.[Symbol.asyncDispose]();
    await server?.kill();
  });

  for (const replay of [false, {}] as const) {
    const how = replay ? "with replay" : "without replay";
    const options = { cluster: NEVER, streams: { replay } };

    it(`R2 a broadcast is one command, ${how}`, async () => {
      await using cluster = new RedisCluster(server);
      const [a, b] = await cluster.joinAll(2, options);
      const opened = [
        ...await openMany(a!, idsOf("a", 100)),
        ...await openMany(b!, idsOf("b", 100)),
      ];
      await a!.streams.send(undefined, frame("the first"));
      for (const stream of opened) await textsOf(stream, 1);
      await seen.take();
      await a!.streams.send(undefined, frame("hello"));
      for (const stream of opened) {
        assertEquals(await textsOf(stream, 2), ["the first", "hello"]);
      }
      const all = withoutAcks(await seen.take());
      const published = all.filter(({ name }) => name === "publish");
      assertEquals(published.length, 1, `${all.map(({ name }) => name)}`);
      assertEquals(sent(all).length, 1, `${sent(all)}`);
    });

    it(`R2 a targeted send is one lookup and one publish for each node, ${how}`, async () => {
      await using cluster = new RedisCluster(server);
      const [a, b, c] = await cluster.joinAll(3, options);
      const ids = [
        ...idsOf("a", 30),
        ...idsOf("b", 30),
        ...idsOf("c", 30),
      ];
      const opened = [
        ...await openMany(a!, ids.slice(0, 30)),
        ...await openMany(b!, ids.slice(30, 60)),
        ...await openMany(c!, ids.slice(60)),
      ];
      await a!.streams.send(ids, frame("the first"));
      for (const stream of opened) await textsOf(stream, 1);
      await seen.take();
      await a!.streams.send([...ids, "nobody"], frame("hello"));
      for (const stream of opened) {
        assertEquals(await textsOf(stream, 2), ["the first", "hello"]);
      }
      const all = withoutAcks(await seen.take());
      const published = all.filter(({ name }) => name === "publish");
      // With replay, the sender receives its own events like the others do.
      const most = replay ? 3 : 2;
      assert(published.length <= most, `${published.length} were published`);
      assert(sent(all).length <= 3, `${sent(all)}`);
      assertEquals(count(sent(all), "evalsha", "eval", "mget", "hmget"), 1);
    });
  }

  it("R2 a send to many sessions with replay takes commands of at most 250 sessions", async () => {
    await using cluster = new RedisCluster(server);
    const options = { cluster: NEVER, streams: { replay: {} } };
    const [a, b] = await cluster.joinAll(2, options);
    const ids = idsOf("many", 501);
    const opened = await openMany(b!, ids);
    await seen.take();
    await a!.streams.send(ids, frame("small"));
    // A large one is stored less often.
    await a!.streams.send(ids, frame("x".repeat(20_000)));
    for (const stream of opened) await textsOf(stream, 2);
    const recipients = (await seen.take())
      .filter(({ from, name }) => from !== "lua" && /^eval/.test(name))
      .map(({ args }) => args.filter((arg) => /^many\d+$/.test(arg)).length);
    assertEquals(
      recipients.filter((count) => count > 0),
      [250, 250, 1, 500, 1],
    );
  });

  it("R2 a send to sessions of this node publishes nothing", async () => {
    await using cluster = new RedisCluster(server);
    const [a] = await cluster.joinAll(2, { cluster: NEVER });
    const [stream] = await openMany(a!, ["a"]);
    await seen.take();
    await a!.streams.send(["a"], frame("hello"));
    assertEquals(await textsOf(stream!, 1), ["hello"]);
    assertEquals(count(sent(await seen.take()), "publish"), 0);
  });

  it("R2 an idle node sends about one command for each heartbeat", async () => {
    await using cluster = new RedisCluster(server);
    const heartbeatMs = 100;
    const nodes = await cluster.joinAll(3, { cluster: { heartbeatMs } });
    for (const [at, node] of nodes.entries()) {
      await openMany(node, idsOf(`${at}-`, 100));
    }
    await seen.take();
    const start = performance.now();
    // Counted against a clock, so that the speed of the machine does not
    // matter.
    await until(() => performance.now() - start > 1_500, "beats", PATIENCE_MS);
    const names = sent(await seen.take());
    const beats = nodes.length * (performance.now() - start) / heartbeatMs;
    assert(names.length < 1.5 * beats, `${names.length} in ${beats} beats`);
    assert(names.length > 0.2 * beats, `${names.length} in ${beats} beats`);
  });

  it("R2 R4 R5 nothing scans all keys, and all keys have the prefix and an expiry", async () => {
    await using own = await RedisServer.start();
    await using cluster = new RedisCluster(own, "mcp");
    const nodes = await cluster.joinAll(2, {
      cluster: { heartbeatMs: 100 },
      streams: { replay: {} },
      info: { maxSessions: 1_000 },
    });
    for (const [at, node] of nodes.entries()) {
      const { streams, info, subscriptions } = node;
      const ids = idsOf(`${at}-`, 20);
      await openMany(node, ids);
      for (const id of ids) {
        await info.setClientInfo(id, { name: id, version: "1" });
        await info.setClientCapabilities(id, { roots: {} });
        await info.setLogLevel(id, "error");
        await info.addSubscription(id, "file:///a");
        await streams.send([id], frame("one"));
      }
      await new TestSubscriber().subscribe(
        subscriptions,
        at,
        { toolsListChanged: true },
        "o",
      );
      await streams.send(undefined, frame("all"));
      await streams.delete(ids[0]!);
      await info.delete(ids[1]!);
      await info.getSubscriptions("file:///a");
    }
    const keys = await own.command<string[]>("KEYS", "*");
    assert(keys.length > 0, "Nothing is stored.");
    for (const key of keys) {
      assert(key.startsWith("{mcp}:"), key);
      // It may have ended meanwhile.
      const ttl = await own.command<number>("PTTL", key);
      assert(ttl > 0 || ttl === -2, `${key} never expires`);
    }
    const channels = await own.command<string[]>("PUBSUB", "CHANNELS");
    assert(channels.length > 0, "Nobody listens.");
    for (const channel of channels) {
      assert(channel.startsWith("{mcp}:"), channel);
    }
    assertEquals(await own.command("PUBSUB", "NUMPAT"), 0);
    const counts = await own.commandCounts();
    // The test itself has listed the keys once.
    assertEquals(counts.get("keys"), 1);
    for (const name of ["scan", "sscan", "hscan", "zscan", "flushdb"]) {
      assertEquals(counts.get(name), undefined, name);
    }
  });

  it("R2 a session without client info takes at most 300 bytes", async () => {
    await using own = await RedisServer.start();
    await using cluster = new RedisCluster(own);
    const sessions = await cluster.join({ cluster: NEVER });
    await openMany(sessions, idsOf("before", 10));
    const used = () => own.info("memory", "used_memory");
    const start = await used();
    // As long as the IDs that transports create.
    const ids = Array.from({ length: 10_000 }, () => crypto.randomUUID());
    await openMany(sessions, ids);
    const perSession = (await used() - start) / ids.length;
    assert(perSession <= 300, `${perSession} bytes a session`);
    assert(perSession > 0, "Nothing is stored.");
  });
});
