import { createClient as createClient5 } from "@redis/client";
import {
  type RedisPublisher,
  RedisSessions,
  type RedisSubscriber,
} from "@crossmcp/session-manager/redis";
import { assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { createClient } from "redis";
import { frame } from "../../src/testing/support/test_client.ts";
import { TestSubscriber } from "../../src/testing/support/test_subscriber.ts";
import { until } from "../e2e/support/until.ts";
import { openStream, textsOf } from "./support/open_stream.ts";
import { CLIENT_KINDS } from "./support/clients.ts";
import { RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

/** Must pass the type check; never called. */
export function clientsThatFitAsTheyAre(): RedisSessions[] {
  const accepts = (publisher: RedisPublisher, subscriber: RedisSubscriber) =>
    new RedisSessions({ publisher, subscriber });
  const of6 = createClient();
  const of6With2 = createClient({ RESP: 2 });
  const of6With3 = createClient({ RESP: 3 });
  const of5 = createClient5();
  const of5With2 = createClient5({ RESP: 2 });
  const of5With3 = createClient5({ RESP: 3 });
  return [
    accepts(of6, of6.duplicate()),
    accepts(of6With2, of6With2.duplicate()),
    accepts(of6With3, of6With3.duplicate()),
    accepts(of5, of5.duplicate()),
    accepts(of5With2, of5With2.duplicate()),
    accepts(of5With3, of5With3.duplicate()),
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
