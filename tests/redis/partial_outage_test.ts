import type { RedisSessions } from "@crossmcp/session-manager/redis";
import { assert, assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { frame } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { MovingClient } from "./support/moving_client.ts";
import { met, RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";
import { resetCounts } from "../support/empty_stats.ts";

const OPTIONS = {
  streams: { replay: {} },
  cluster: { heartbeatMs: 200, requestTimeoutMs: 500 },
};

/** Three nodes, and the connections of the second one. */
interface Nodes {
  readonly a: RedisSessions;
  readonly b: RedisSessions;
  readonly c: RedisSessions;
  /** Cuts the second one off, or only its commands. */
  readonly cut: () => void;
  readonly heal: () => void;
  readonly healSubscriber: () => void;
}

describeRedis("RedisSessions: one node is cut off", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.[Symbol.asyncDispose]());

  /** Runs a test with three nodes. */
  const withNodes = (
    run: (nodes: Nodes, cluster: RedisCluster) => Promise<void>,
    { onlyCommands = false } = {},
  ) =>
  async () => {
    await using publisher = await TcpProxy.start(server.port);
    await using subscriber = await TcpProxy.start(server.port);
    await using cluster = new RedisCluster(server);
    const a = await cluster.join(OPTIONS);
    const b = await cluster.joinWith({
      publisher: (await cluster.connect(undefined, publisher.port)).publisher,
      subscriber:
        (await cluster.connect(undefined, subscriber.port)).subscriber,
    }, OPTIONS);
    const c = await cluster.join(OPTIONS);
    await met([a, b, c]);
    const cut = onlyCommands ? [publisher] : [publisher, subscriber];
    await run({
      a,
      b,
      c,
      cut: () => cut.forEach((proxy) => proxy.cut()),
      heal: () => cut.forEach((proxy) => proxy.heal()),
      healSubscriber: () => subscriber.heal(),
    }, cluster);
  };

  /** Waits until a node has reported an outage. */
  async function noticed({ errors }: RedisCluster): Promise<void> {
    await until(() => errors.length > 0, "the outage", PATIENCE_MS);
  }

  it(
    "S7 S14 what a node has missed comes before what it receives when its subscriber is back first",
    withNodes(
      async ({ a, b, cut, heal, healSubscriber }, { prefix, errors }) => {
        const client = await MovingClient.begin(b);
        await client.open(b);
        await a.streams.send([client.id], frame("m1"));
        await client.gets("m1");
        const channel = `{${prefix}}:1`;
        const subscribers = async () => {
          const names = await server.command<string[]>("PUBSUB", "CHANNELS");
          const counts = await server.command<unknown[]>(
            "PUBSUB",
            "NUMSUB",
            ...names.filter((name) => name.startsWith(channel)),
          );
          return Math.max(...counts.map(Number).filter((count) => count >= 0));
        };
        assertEquals(await subscribers(), 3);
        cut();
        await until(() => errors.length > 0, "the outage", PATIENCE_MS);
        await until(
          async () => await subscribers() === 2,
          "its subscriber to be gone",
          PATIENCE_MS,
        );
        await a.streams.send([client.id], frame("m2"));
        healSubscriber();
        await until(
          async () => await subscribers() === 3,
          "its subscriber to be back",
          PATIENCE_MS,
        );
        await a.streams.send(undefined, frame("m3"));
        heal();
        await client.gets("m2");
        await client.gets("m3");
        assertEquals(client.received, ["m1", "m2", "m3"]);
        await client.leave();
      },
    ),
  );

  it(
    "S14 a reset of a node that is behind its client makes it get nothing twice",
    withNodes(async ({ a, b, cut, heal }, cluster) => {
      const client = await MovingClient.begin(a);
      await client.open(b);
      await a.streams.send([client.id], frame("m1"));
      await client.gets("m1");
      await client.open(a);
      cut();
      await noticed(cluster);
      await a.streams.send(undefined, frame("m2"));
      await client.gets("m2");
      await client.open(b);
      await client.gets("reset");
      await client.open(a);
      await a.streams.send([client.id], frame("m3"));
      await client.gets("m3");
      assertEquals(client.received, ["m1", "m2", "reset", "m3"]);
      await client.leave();
      heal();
    }),
  );

  for (const onlyCommands of [false, true]) {
    const what = onlyCommands
      ? "whose commands are cut off"
      : "that is cut off";
    for (const hasLeft of [false, true]) {
      const first = hasLeft ? "left its node for" : "moved to";
      it(
        `R7 a client that ${first} a node ${what} gets what others send, or a reset after it`,
        withNodes(async ({ a, b, c, cut, heal }, cluster) => {
          const client = await MovingClient.begin(a);
          // The node has seen the session.
          await client.open(b);
          await client.open(a);
          await c.streams.send([client.id], frame("m1"));
          await client.gets("m1");
          if (hasLeft) await client.leave();
          cut();
          await noticed(cluster);
          await client.open(b);
          await client.gets("reset");
          await c.streams.send([client.id], frame("m2"));
          await c.streams.send(undefined, frame("all"));
          heal();
          let sent = 0;
          await until(
            async () => {
              await c.streams.send([client.id], frame(`later ${sent++}`));
              return client.received.at(-1)!.startsWith("later");
            },
            () => `later events after ${client.received}`,
            PATIENCE_MS,
          );
          const { received } = client;
          const moved = received.slice(received.indexOf("reset") + 1);
          for (const text of ["m2", "all"]) {
            assert(
              moved.includes(text) || moved.includes("reset"),
              `${received}`,
            );
          }
          const events = received.filter((text) => text !== "reset");
          assertEquals(events, [...new Set(events)], "an event came twice");
          assertEquals(client.isOpen, true);
        }, { onlyCommands }),
      );
    }
  }

  it("S14 a client that has moved to the sender of events does not get them again in an outage", async () => {
    await using own = await RedisServer.start();
    await using cluster = new RedisCluster(own);
    const [a, b] = await cluster.joinAll(2, OPTIONS);
    const client = await MovingClient.begin(a!);
    await client.open(b!);
    const texts = ["m0", "m1", "m2"];
    for (const text of texts) await a!.streams.send([client.id], frame(text));
    await client.gets("m2");
    await client.open(a!);
    own.pause();
    // It is delivered without Redis, and so would be the earlier ones.
    await a!.streams.send([client.id], frame("out"));
    await client.gets("out");
    own.resume();
    await b!.streams.send([client.id], frame("end"));
    await client.gets("end");
    const { received } = client;
    assertEquals(received, [...texts, "out", "end"]);
    await client.leave();
  });

  it("R7 C19 broadcasts that were trimmed before a node had read them reset its open streams", async () => {
    await using proxy = await TcpProxy.start(server.port);
    await using cluster = new RedisCluster(server);
    const options = { ...OPTIONS, streams: { replay: { maxEvents: 10 } } };
    const a = await cluster.join(options);
    const b = await cluster.joinThrough(proxy, options);
    const c = await cluster.join(options);
    await met([a, b, c]);
    const client = await MovingClient.begin(b);
    await client.open(b);
    const witness = await MovingClient.begin(c);
    await witness.open(c);
    proxy.cut();
    await noticed(cluster);
    const texts = Array.from({ length: 30 }, (_, at) => `m${at}`);
    for (const text of texts) await a.streams.send(undefined, frame(text));
    // On a slow machine, the sender may have had an outage as well: then it
    // appends later.
    await witness.gets(texts.at(-1)!);
    proxy.heal();
    await client.gets("m29");
    const at = client.received.indexOf("reset");
    assertEquals(client.received.slice(0, at), []);
    assertEquals(client.received.slice(at + 1), texts.slice(20));
    assertEquals(b.stats().resets, resetCounts({ purged: 1 }));
    await client.leave();
    await witness.leave();
  });

  for (const onlyMessages of [false, true]) {
    const what = onlyMessages ? "whose messages are" : "that is";
    it(`R7 C19 a node ${what} cut off resets the streams whose own events were trimmed, and no others`, async () => {
      await using proxy = await TcpProxy.start(server.port);
      await using cluster = new RedisCluster(server);
      const options = { ...OPTIONS, streams: { replay: { maxEvents: 10 } } };
      const a = await cluster.join(options);
      const { publisher } = await cluster.connect(
        undefined,
        onlyMessages ? server.port : proxy.port,
      );
      const { subscriber } = await cluster.connect(undefined, proxy.port);
      const b = await cluster.joinWith({ publisher, subscriber }, options);
      await met([a, b]);
      const [many, one, none, here] = await Promise.all(
        [b, b, b, a].map((node) => MovingClient.begin(node)),
      ) as [MovingClient, MovingClient, MovingClient, MovingClient];
      for (const client of [many, one, none]) await client.open(b);
      await here.open(a);
      const all = [many, one, none, here];
      // Nothing that a client has received is missing.
      const before = all.map(({ id }) => id);
      await a.streams.send(before, frame("before"));
      for (const client of all) await client.gets("before");
      proxy.cut();
      await a.streams.send([one.id], frame("lost"));
      const texts = Array.from({ length: 30 }, (_, at) => `m${at}`);
      for (const text of texts) {
        await a.streams.send([many.id, here.id], frame(text));
      }
      proxy.heal();
      await many.gets("m29");
      await a.streams.send(undefined, frame("end"));
      for (const client of all) await client.gets("end");
      const kept = texts.slice(20);
      assertEquals(many.received, ["before", "reset", ...kept, "end"]);
      assertEquals(one.received, ["before", "reset", "end"]);
      assertEquals(none.received, ["before", "end"]);
      assertEquals(here.received, ["before", ...texts, "end"]);
      assertEquals(a.stats().resets, resetCounts());
      assertEquals(b.stats().resets, resetCounts({ purged: 2 }));
      // Nothing is missing after the reset.
      await many.open(a);
      await one.open(a);
      await a.streams.send([many.id, one.id], frame("after"));
      for (const client of [many, one]) {
        await client.gets("after");
        assertEquals(client.received.slice(-2), ["end", "after"]);
      }
      for (const client of all) await client.leave();
    });
  }
});
