import { ClusterError } from "@crossmcp/session-manager";
import {
  RedisInfoSessionManager,
  RedisSessions,
  RedisStreamSessionManager,
  RedisSubscriptionManager,
} from "@crossmcp/session-manager/redis";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import { after, before, it } from "node:test";
import { frame } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { connect } from "./support/clients.ts";
import { openStream, textsOf } from "./support/open_stream.ts";
import { RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

describeRedis("RedisSessions: the format of what is stored", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.kill());

  /** The error with which `ready` rejects on a prefix. */
  async function refusal(
    prefix: string,
    Class:
      | typeof RedisSessions
      | typeof RedisInfoSessionManager
      | typeof RedisStreamSessionManager
      | typeof RedisSubscriptionManager = RedisSessions,
  ): Promise<Error> {
    await using clients = await connect(server);
    const reported: Error[] = [];
    await using node = new Class(clients, {
      prefix,
      onError: (error) => void reported.push(error),
    });
    const refused = await node.ready.then(() => undefined, (error) => error);
    assertInstanceOf(refused, ClusterError);
    assertEquals(reported, [refused]);
    return refused;
  }

  it("R9 a node that finds another format refuses by name", async () => {
    const classes = [
      RedisSessions,
      RedisStreamSessionManager,
      RedisInfoSessionManager,
      RedisSubscriptionManager,
    ];
    for (const Class of classes) {
      const prefix = crypto.randomUUID();
      await server.command("HSET", `{${prefix}}:format`, "format", "2");
      const { message } = await refusal(prefix, Class);
      assertStringIncludes(message, "format 2");
      assertStringIncludes(message, "format 1");
      assertStringIncludes(message, `"${prefix}"`);
      assertStringIncludes(message, `"{${prefix}}:format" has expired`);
      // It has written nothing.
      const keys = await server.command("KEYS", `{${prefix}}:*`);
      assertEquals(keys, [`{${prefix}}:format`]);
    }
  });

  it("R9 a node refuses data of releases that had no format", async () => {
    const prefix = crypto.randomUUID();
    await server.command(
      "HSET",
      `{${prefix}}:log`,
      "epoch",
      "0123456789abcdef",
    );
    const { message } = await refusal(prefix);
    assertStringIncludes(message, "without a format");
    assertStringIncludes(message, `delete the key "{${prefix}}:log"`);
  });

  it("R9 nodes that find another format later report it once, and continue", async () => {
    await using cluster = new RedisCluster(server);
    const { prefix, errors } = cluster;
    const [a, b] = await cluster.joinAll(2, { cluster: { heartbeatMs: 20 } });
    const stream = openStream();
    await a!.streams.create("s", stream.controller);
    await server.command("DEL", `{${prefix}}:format`);
    await server.command("HSET", `{${prefix}}:format`, "format", "2");
    await until(() => errors.length === 2, "a report each", PATIENCE_MS);
    for (const { message } of errors) assertStringIncludes(message, "format 2");
    await b!.streams.send(["s"], frame("from another"));
    assertEquals(await textsOf(stream, 1), ["from another"]);
    await server.command("HSET", `{${prefix}}:format`, "format", "3");
    await until(() => errors.length === 4, "two reports each", PATIENCE_MS);
  });

  it("R9 a node that began without Redis reports another format, and stays alone", async () => {
    await using proxy = await TcpProxy.start(server.port);
    await using cluster = new RedisCluster(proxy);
    const { prefix, errors } = cluster;
    const clients = await cluster.connect();
    proxy.silence();
    const options = { heartbeatMs: 50 };
    const sessions = await cluster.joinWith(clients, { cluster: options });
    await server.command("HSET", `{${prefix}}:format`, "format", "2");
    proxy.restore();
    await until(() => errors.length > 1, "two reports", PATIENCE_MS);
    assertStringIncludes(errors[0]!.message, "unavailable");
    assertStringIncludes(errors[1]!.message, "format 2");
    const stream = openStream();
    await sessions.streams.create("s", stream.controller);
    await sessions.streams.send(["s"], frame("served"));
    assertEquals(await textsOf(stream, 1), ["served"]);
    assertEquals(await server.command("KEYS", `{${prefix}}:1:*`), []);
    // The other nodes are gone.
    await server.command("DEL", `{${prefix}}:format`);
    await using direct = await connect(server);
    const other = await cluster.joinWith(direct);
    await until(() => other.streams.has("s"), "the session", PATIENCE_MS);
    const named = errors.filter(({ message }) => message.includes("format 2"));
    assertEquals(named.length, 1, errors.join());
  });

  it("R9 R4 every name has the format, and the format itself expires", async () => {
    await using cluster = new RedisCluster(server);
    const [sessions] = await cluster.joinAll(2, { streams: { replay: {} } });
    await sessions!.streams.create("s", openStream().controller);
    await sessions!.streams.send(["s"], frame("one"));
    await sessions!.info.addSubscription("s", "file:///a");
    const { prefix } = cluster;
    const keys = await server.command<string[]>("KEYS", `{${prefix}}:*`);
    const channels = await server.command<string[]>("PUBSUB", "CHANNELS");
    const names = [
      ...keys,
      ...channels.filter((name) => name.startsWith(`{${prefix}}`)),
    ].filter((name) => name !== `{${prefix}}:format`);
    assert(names.length > 5, names.join());
    for (const name of names) assert(name.startsWith(`{${prefix}}:1:`), name);
    const ttl = await server.command<number>("PTTL", `{${prefix}}:format`);
    assert(ttl > 0 && ttl <= 60_000, `${ttl}`);
  });
});
