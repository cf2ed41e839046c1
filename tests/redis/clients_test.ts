import {
  createClient as createClient5,
  createCluster as createCluster5,
  createSentinel as createSentinel5,
} from "@redis/client";
import {
  type RedisPublisher,
  RedisSessions,
  type RedisSubscriber,
} from "@crossmcp/session-manager/redis";
import { assertEquals } from "@std/assert";
import { Cluster, Redis } from "ioredis";
import { after, before, it } from "node:test";
import { createClient, createCluster, createSentinel } from "redis";
import { frame } from "../../src/testing/support/test_client.ts";
import { TestSubscriber } from "../../src/testing/support/test_subscriber.ts";
import { until } from "../e2e/support/until.ts";
import { openStream, textsOf } from "./support/open_stream.ts";
import { CLIENT_KINDS, makeClient } from "./support/clients.ts";
import { doEverything } from "./support/everything.ts";
import { met, RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

/** Must pass the type check; never called. */
export function clientsThatFitAsTheyAre(): RedisSessions[] {
  const sentinel = { name: "main", sentinelRootNodes: [] };
  const cluster = { rootNodes: [] };
  const port: RedisPublisher & RedisSubscriber = createClient();
  return [
    new RedisSessions(createClient()),
    new RedisSessions(createCluster(cluster)),
    new RedisSessions(createSentinel(sentinel)),
    new RedisSessions(createClient5()),
    new RedisSessions(createCluster5(cluster)),
    new RedisSessions(createSentinel5(sentinel)),
    new RedisSessions(new Redis()),
    new RedisSessions(new Cluster([])),
    new RedisSessions({ publisher: createClient(), subscriber: new Redis() }),
    new RedisSessions({ publisher: port, subscriber: port }),
    // @ts-expect-error: a URL is no client.
    new RedisSessions("redis://localhost"),
    // @ts-expect-error: one of two clients is missing.
    new RedisSessions({ publisher: createClient() }),
  ];
}

describeRedis("RedisSessions: clients", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.kill());

  for (const kind of CLIENT_KINDS) {
    it(`R3 works with ${kind}`, async () => {
      await using cluster = new RedisCluster(server);
      const here = await cluster.join({}, kind);
      // The other node has the client of the documentation.
      const there = await cluster.join();
      const streams = [openStream(), openStream()] as const;
      await here.streams.create("here", streams[0].controller);
      await there.streams.create("there", streams[1].controller);
      assertEquals(await here.streams.has("there"), true);
      assertEquals(await there.streams.has("here"), true);
      const text = '\u{1f600} "quoted" {} \\ \'';
      for (const [at, node] of [here, there].entries()) {
        await node.streams.send(["here", "there"], frame(`${at} ${text}`));
        await node.streams.send(undefined, frame(`${at} to all`));
      }
      for (const stream of streams) {
        const texts = [0, 1].flatMap((at) => [`${at} ${text}`, `${at} to all`]);
        assertEquals((await textsOf(stream, 4)).sort(), texts.sort());
      }
      const info = { name: text, version: "1" };
      await here.info.setClientInfo("here", info);
      await there.info.setLogLevel("here", "alert");
      await here.info.addSubscription("here", text);
      assertEquals(await there.info.getClientInfo("here"), info);
      assertEquals(await here.info.getLogLevel("here"), "alert");
      assertEquals(await there.info.getSubscriptions(text), ["here"]);
      await there.info.delete("here");
      assertEquals(await here.info.getSubscriptions(text), []);
      const subscriber = new TestSubscriber();
      await subscriber.subscribe(
        here.subscriptions,
        1,
        { toolsListChanged: true },
        "o",
      );
      assertEquals(await there.subscriptions.close(1, "o", "closed"), true);
      await subscriber.called("close: closed");
      await there.streams.delete("here");
      assertEquals(await here.streams.has("here"), false);
      assertEquals(cluster.errors, []);
    });
  }

  for (const kind of CLIENT_KINDS) {
    it(`R8 opens a second connection of one client, and closes it, with ${kind}`, async () => {
      await using own = await RedisServer.start();
      const ofNodes = async () => {
        const list = await own.command<string>("CLIENT", "LIST");
        // Without the connection that asks.
        return list.trim().split("\n").length - 1;
      };
      const made = [makeClient(own, kind), makeClient(own, kind)];
      const errors: Error[] = [];
      try {
        await Promise.all(made.map(({ connected }) => connected));
        assertEquals(await ofNodes(), 2);
        const options = {
          cluster: { heartbeatMs: 200 },
          streams: { replay: {} },
          onError: (error: Error) => void errors.push(error),
        };
        const [here, there] = made.map(({ client }) =>
          new RedisSessions(client, options)
        ) as [RedisSessions, RedisSessions];
        await Promise.all([here.ready, there.ready]);
        await met([here, there]);
        assertEquals(await ofNodes(), 4);
        await doEverything(here, there);
        await here.close();
        await there.close();
        await until(async () => await ofNodes() === 2, "its own to be closed");
        // The clients can be used for other nodes.
        await using again = new RedisSessions(made[0]!.client, options);
        await again.ready;
        assertEquals(errors, []);
      } finally {
        for (const client of made) await client[Symbol.asyncDispose]();
      }
    });
  }

  it("R8 closes its connection also while it is being opened", async () => {
    await using own = await RedisServer.start();
    for (const kind of CLIENT_KINDS) {
      await using made = makeClient(own, kind);
      await made.connected;
      const sessions = new RedisSessions(made.client);
      await sessions.close();
      const left = async () =>
        (await own.command<string>("CLIENT", "LIST")).trim().split("\n").length;
      await until(async () => await left() === 2, `${kind} to be closed`);
    }
  });

  it("leaves the clients as they were", async () => {
    await using cluster = new RedisCluster(server);
    const clients = await cluster.connect();
    const sessions = await cluster.joinWith(clients);
    const received: string[] = [];
    await clients.subscriber.subscribe(
      [`${cluster.prefix} other`],
      (text) => void received.push(text),
    );
    await sessions.close();
    await clients.publisher.sendCommand([
      "PUBLISH",
      `${cluster.prefix} other`,
      "still there",
    ]);
    await until(() => received.length > 0, "a message of other code");
    assertEquals(received, ["still there"]);
    const channels = await server.command<string[]>("PUBSUB", "CHANNELS");
    assertEquals(channels, [`${cluster.prefix} other`]);
    // The clients can be used for another node.
    const again = await cluster.joinWith(clients);
    await again.streams.create("s", openStream().controller);
    assertEquals(await again.streams.has("s"), true);
  });
});
