import { RedisSessions } from "@crossmcp/session-manager/redis";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { after, before, it } from "node:test";
import { frame } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { CLIENT_KINDS, connect, makeClient } from "./support/clients.ts";
import { type OpenStream, openStream, textsOf } from "./support/open_stream.ts";
import { met } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

const CLUSTER = { heartbeatMs: 300 };

/** Waits until a stream has texts, in order, and nothing else. */
async function expectTexts(
  stream: OpenStream,
  texts: readonly string[],
): Promise<void> {
  assertEquals(await textsOf(stream, texts.length), texts);
}

describeRedis(
  "RedisSessions: a subscriber connection that is silently dead",
  () => {
    let server: RedisServer;
    before(async () => {
      server = await RedisServer.start();
    });
    after(() => server?.kill());

    for (const kind of CLIENT_KINDS) {
      for (const replay of [false, {}] as const) {
        const how = replay ? "with replay" : "without replay";

        it(`R6 is reported once and replaced, and nothing is lost, with ${kind}, ${how}`, async () => {
          await using proxy = await TcpProxy.start(server.port);
          await using own = makeClient(proxy, kind);
          await using others = makeClient(server);
          await Promise.all([own.connected, others.connected]);
          const errors: Error[] = [];
          const options = {
            prefix: crypto.randomUUID(),
            cluster: CLUSTER,
            streams: { replay },
            onError: (error: Error) => void errors.push(error),
          };
          await using here = new RedisSessions(own.client, options);
          await using there = new RedisSessions(others.client, options);
          await Promise.all([here.ready, there.ready]);
          await met([here, there]);
          const stream = openStream();
          await here.streams.create("s", stream.controller);
          await there.streams.send(["s"], frame("before"));
          await expectTexts(stream, ["before"]);
          proxy.silenceSubscribers();
          await there.streams.send(["s"], frame("while silent"));
          await there.streams.send(undefined, frame("to all"));
          await until(() => errors.length > 0, "a report", PATIENCE_MS);
          assertStringIncludes(errors[0]!.message, "is silent");
          assertStringIncludes(errors[0]!.message, "replaced");
          await expectTexts(stream, ["before", "while silent", "to all"]);
          await met([here, there]);
          await there.streams.send(["s"], frame("after"));
          await expectTexts(stream, [
            "before",
            "while silent",
            "to all",
            "after",
          ]);
          assertEquals(errors.length, 1, errors.join());
        });
      }
    }

    for (const kind of ["node-redis 6, RESP3", "ioredis 6, RESP3"] as const) {
      it(`R6 one that is never ready is reported once and opened again, with ${kind}`, async () => {
        await using proxy = await TcpProxy.start(server.port);
        await using own = makeClient(proxy, kind);
        await using others = makeClient(server);
        await Promise.all([own.connected, others.connected]);
        const errors: Error[] = [];
        const options = {
          prefix: crypto.randomUUID(),
          cluster: CLUSTER,
          onError: (error: Error) => void errors.push(error),
        };
        proxy.silenceNew(true);
        await using here = new RedisSessions(own.client, options);
        await using there = new RedisSessions(others.client, options);
        await Promise.all([here.ready, there.ready]);
        await until(() => errors.length > 0, "a report", PATIENCE_MS);
        assertStringIncludes(errors[0]!.message, "is not ready");
        proxy.silenceNew(false);
        await met([here, there]);
        const stream = openStream();
        await here.streams.create("s", stream.controller);
        await there.streams.send(["s"], frame("hello"));
        await expectTexts(stream, ["hello"]);
        assertEquals(errors.length, 1, errors.join());
      });
    }

    it("R6 events are read over the other connection if it cannot be replaced", async () => {
      await using proxy = await TcpProxy.start(server.port);
      await using direct = await connect(server);
      await using silent = await connect(proxy);
      await using others = await connect(server);
      const errors: Error[] = [];
      const options = {
        prefix: crypto.randomUUID(),
        cluster: CLUSTER,
        streams: { replay: {} },
        onError: (error: Error) => void errors.push(error),
      };
      const { subscriber } = silent;
      // A subscriber that is not a client of a known library.
      const port = {
        subscribe: subscriber.subscribe.bind(subscriber),
        unsubscribe: subscriber.unsubscribe.bind(subscriber),
      };
      await using here = new RedisSessions(
        { publisher: direct.publisher, subscriber: port },
        options,
      );
      await using there = new RedisSessions(others, {
        ...options,
        onError: undefined,
      });
      await Promise.all([here.ready, there.ready]);
      await met([here, there]);
      const stream = openStream();
      await here.streams.create("s", stream.controller);
      proxy.silenceSubscribers();
      await until(() => errors.length > 0, "a report", PATIENCE_MS);
      assertStringIncludes(errors[0]!.message, "Reconnect the subscriber");
      for (const text of ["one", "two", "three"]) {
        await there.streams.send(["s"], frame(text));
      }
      await expectTexts(stream, ["one", "two", "three"]);
      assertEquals(errors.length, 1, errors.join());
    });
  },
);
