import {
  ClosedError,
  ClusterError,
  InvalidArgumentError,
  type NotifyTarget,
} from "@crossmcp/session-manager";
import {
  RedisNotifier,
  type RedisNotifierOptions,
  type RedisSessions,
} from "@crossmcp/session-manager/redis";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { readFileSync } from "node:fs";
import { after, before, it } from "node:test";
import {
  messagesUntil,
  note,
} from "../../src/testing/cases/operation/notify_cases.ts";
import { TestClient } from "../../src/testing/support/test_client.ts";
import { TestSubscriber } from "../../src/testing/support/test_subscriber.ts";
import { TAKE } from "../../src/redis/calls/call_scripts.ts";
import { FORMAT } from "../../src/redis/connection/keys.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { CLIENT_KINDS, connect } from "./support/clients.ts";
import { CommandsSeen } from "./support/commands_seen.ts";
import { met, RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

const TOOLS = "notifications/tools/list_changed";
const UPDATED = "notifications/resources/updated";
const REPLAY = { streams: { replay: {} } };

/** Returns the names of notes, and the methods of other messages. */
function namesOf(messages: readonly unknown[]): unknown[] {
  return (messages as { method: string; params?: { name?: string } }[])
    .map(({ method, params }) => params?.name ?? method);
}

describeRedis("RedisNotifier", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.[Symbol.asyncDispose]());

  /** Creates a notifier, and its client. */
  async function notifierOf(
    cluster: RedisCluster,
    options: RedisNotifierOptions = {},
  ): Promise<RedisNotifier> {
    const { publisher } = await cluster.connect();
    const { prefix } = cluster;
    return new RedisNotifier(publisher, { prefix, ...options });
  }

  for (const options of [{}, REPLAY]) {
    const how = "streams" in options ? "with replay" : "without replay";

    it(`O1 O2 clients of all nodes and both eras get notifications once, ${how}`, async () => {
      await using cluster = new RedisCluster(server);
      const nodes = await cluster.joinAll(2, options);
      const uri = "file:///notes.md";
      const clients = await Promise.all(nodes.map(async (node, at) => {
        const alice = await TestClient.begin(node, { principal: "alice" });
        const bob = await TestClient.begin(node, { principal: "bob" });
        const subscriber = new TestSubscriber();
        await subscriber.subscribe(node.subscriptions, at, {
          toolsListChanged: true,
          resourceSubscriptions: [uri],
        });
        const streams = [await alice.listen(), await bob.listen()];
        return { alice, bob, streams, subscriber };
      }));
      await nodes[0]!.info.addSubscription(clients[0]!.alice.id, uri);
      const known = () =>
        Promise.all(
          clients.flatMap(({ alice, bob }) =>
            [alice, bob].flatMap(({ id }) =>
              nodes.map((node) => node.streams.has(id))
            )
          ),
        );
      await until(
        async () => (await known()).every((it) => it),
        "all nodes to know all streams",
        PATIENCE_MS,
      );

      await using notifier = await notifierOf(cluster);
      await notifier.notify({ method: TOOLS });
      await notifier.notify({ method: UPDATED, params: { uri } });
      const [first, second] = clients;
      await notifier.notify(note("some"), {
        sessions: [first!.alice.id, second!.bob.id, "unknown"],
      });
      await notifier.notify(note("nobody"), { sessions: [] });
      await notifier.notify(note("alice"), { principal: "alice" });
      await notifier.notify(note("end"));

      const got = await Promise.all(
        clients.flatMap(({ streams }) =>
          streams.map(async (stream) =>
            namesOf(await messagesUntil(stream, "end"))
          )
        ),
      );
      assertEquals(got, [
        [TOOLS, UPDATED, "some", "alice"],
        [TOOLS],
        [TOOLS, "alice"],
        [TOOLS, "some"],
      ]);
      for (const { subscriber } of clients) {
        await subscriber.got("acknowledge", TOOLS, uri);
      }
      for (const node of nodes) {
        assertEquals(node.nodes().length, 2);
        assertEquals(node.stats().cluster.nodes, 2);
        assertEquals(node.stats().cluster.ignored, 0);
      }
      assertEquals(cluster.errors, []);
      // Nothing is left of the calls.
      const keys = await server.command("KEYS", `{${cluster.prefix}}:?:c:*`);
      assertEquals(keys, []);
    });

    it(`O1 notifications arrive in order, while nodes come and go, ${how}`, async () => {
      await using cluster = new RedisCluster(server);
      const stay = await cluster.joinAll(2, options);
      const streams = await Promise.all(stay.map(async (node) => {
        const client = await TestClient.begin(node);
        const stream = await client.listen();
        await until(
          async () =>
            (await Promise.all(
              stay.map(({ streams }) => streams.has(client.id)),
            )).every((it) => it),
          "all nodes to know the stream",
          PATIENCE_MS,
        );
        return stream;
      }));
      await using notifier = await notifierOf(cluster);
      const sent: Promise<void>[] = [];
      const names: string[] = [];
      for (let round = 0; round < 4; round++) {
        const leaves = await cluster.join(options);
        await met([...stay, leaves]);
        for (let at = 0; at < 40; at++) {
          const name = `${round} ${at}`;
          names.push(name);
          sent.push(notifier.notify(note(name)));
        }
        await sent.at(-20);
        await leaves.close();
      }
      await Promise.all(sent);
      await notifier.notify(note("end"));
      for (const stream of streams) {
        const got = await messagesUntil(stream, "end");
        assertEquals(namesOf(got), names);
      }
    });

    it(`O2 O3 sessions end on all nodes, ${how}`, async () => {
      await using cluster = new RedisCluster(server);
      const nodes = await cluster.joinAll(2, options);
      await using notifier = await notifierOf(cluster);
      const alice = await Promise.all(
        nodes.map((node) => TestClient.begin(node, { principal: "alice" })),
      );
      const bob = await TestClient.begin(nodes[0]!, { principal: "bob" });
      const streams = await Promise.all(alice.map((it) => it.listen()));
      const statuses = ({ id }: TestClient, principal: string) =>
        Promise.all(
          nodes.map((node) => new TestClient(node, { id, principal }).ping()),
        );
      assertEquals(await notifier.end({ principal: "alice" }), 2);
      for (const client of alice) {
        assertEquals(await statuses(client, "alice"), [404, 404]);
      }
      for (const stream of streams) {
        assertEquals((await stream.end()).ended, "closed");
      }
      assertEquals(await statuses(bob, "bob"), [200, 200]);
      assertEquals(await notifier.end({ principal: "alice" }), 0);
      assertEquals(await notifier.end({ session: bob.id }), 1);
      assertEquals(await statuses(bob, "bob"), [404, 404]);
      assertEquals(await notifier.end({ session: bob.id }), 0);
    });
  }

  it("O1 a client that was away gets a notification when it reconnects", async () => {
    await using cluster = new RedisCluster(server);
    const [a, b] = await cluster.joinAll(2, REPLAY) as [
      RedisSessions,
      RedisSessions,
    ];
    await using notifier = await notifierOf(cluster);
    const client = await TestClient.begin(a, { principal: "alice" });
    const stream = await client.listen();
    await notifier.notify(note("seen"));
    const [seen] = await stream.take();
    await stream.cancel();
    await notifier.notify(note("to all"));
    await notifier.notify(note("to it"), { sessions: [client.id] });
    await notifier.notify(note("to alice"), { principal: "alice" });
    await notifier.notify(note("end"));
    const moved = new TestClient(b, { id: client.id, principal: "alice" });
    const again = await moved.listen(seen!.lastEventId);
    const missed = await messagesUntil(again, "end");
    assertEquals(namesOf(missed), ["to all", "to it", "to alice"]);
  });

  it("uses only the connection it is given, and leaves it open", async () => {
    await using own = await RedisServer.start();
    await using cluster = new RedisCluster(own);
    await cluster.join();
    const { publisher } = await cluster.connect();
    const connections = async () => {
      const info = await own.command<string>("INFO", "stats");
      return Number(/total_connections_received:(\d+)/.exec(info)![1]);
    };
    // Asking takes connections, too.
    const asking = -await connections() + await connections();
    const before = await connections();
    const { prefix } = cluster;
    const notifier = new RedisNotifier(publisher, { prefix });
    await notifier.notify({ method: TOOLS });
    assertEquals(await connections(), before + asking);
    const channel = `{${prefix}}:${FORMAT}:sessions:all`;
    const subscribers = await own.command("PUBSUB", "NUMSUB", channel);
    assertEquals(subscribers, [channel, 1]);
    await notifier.close();
    await notifier.close();
    await assertRejects(
      () => notifier.notify({ method: TOOLS }),
      ClosedError,
    );
    await assertRejects(() => notifier.end({ session: "s" }), ClosedError);
    assertEquals(await publisher.sendCommand(["PING"]), "PONG");
  });

  it("close waits for the calls in progress", async () => {
    await using cluster = new RedisCluster(server);
    const node = await cluster.join();
    const stream = await (await TestClient.begin(node)).listen();
    const notifier = await notifierOf(cluster);
    const sent = [1, 2, 3].map((n) => notifier.notify(note(`${n}`)));
    const last = notifier.notify(note("end"));
    await notifier.close();
    await Promise.all([...sent, last]);
    assertEquals(namesOf(await messagesUntil(stream, "end")), ["1", "2", "3"]);
  });

  it("O1 the calls of a notifier stay on one node, which keeps them in order", async () => {
    await using cluster = new RedisCluster(server);
    await cluster.joinAll(3);
    const { subscriber } = await cluster.connect();
    const channel = `{${cluster.prefix}}:${FORMAT}:sessions:all`;
    const announced: string[] = [];
    await subscriber.subscribe([channel], (message) => {
      if (message.startsWith("call ")) announced.push(message);
    });
    await using seen = await CommandsSeen.of(server);
    await using notifier = await notifierOf(cluster);
    await notifier.notify(note("first"));
    announced.length = 0;
    await seen.take();
    for (let at = 0; at < 20; at++) await notifier.notify(note(`${at}`));
    const commands = await seen.take();
    const takers = commands.filter(({ name, args }) =>
      name === "hset" && args.includes("by")
    ).map(({ args }) => args[args.indexOf("by") + 1]);
    assertEquals(takers.length, 20);
    // Each time that a busy machine delays the node, another one may take over.
    assert(announced.length < 10, `${announced.length} were sent to all`);
    assert(new Set(takers).size <= 1 + announced.length);
  });

  it("without a node, nothing is done, also not later", async () => {
    await using cluster = new RedisCluster(server);
    await using notifier = await notifierOf(cluster, { timeoutMs: 300 });
    for (
      const call of [
        () => notifier.notify(note("lost")),
        () => notifier.end({ principal: "alice" }),
      ]
    ) {
      const error = await assertRejects(call, ClusterError);
      assertStringIncludes(error.message, "No node has responded within 300");
      assertStringIncludes(error.message, cluster.prefix);
    }
    const node = await cluster.join();
    const stream = await (await TestClient.begin(node)).listen();
    await notifier.notify(note("end"));
    assertEquals(await messagesUntil(stream, "end"), []);
  });

  it("a call of a node that died is repeated by another", async () => {
    await using cluster = new RedisCluster(server);
    const { publisher, subscriber } = await cluster.connect();
    const channel = `{${cluster.prefix}}:${FORMAT}:sessions:all`;
    let taken = 0;
    await subscriber.subscribe([channel], (message) => {
      const id = /^call (.*)$/.exec(message)?.[1];
      if (id === undefined || taken > 0) return;
      const key = `{${cluster.prefix}}:${FORMAT}:c:${id}`;
      // What a node does that dies a moment later.
      void publisher.sendCommand(["EVAL", TAKE.text, "1", key, "1 dead", "300"])
        .then(() => taken++);
    });
    await using notifier = await notifierOf(cluster, { timeoutMs: 60_000 });
    const sent = notifier.notify(note("end"));
    await until(() => taken > 0, "the call to be taken", PATIENCE_MS);
    const node = await cluster.join(REPLAY);
    const stream = await (await TestClient.begin(node)).listen();
    await sent;
    // It was sent before or after the stream was there.
    await notifier.notify(note("end"));
    await messagesUntil(stream, "end");
  });

  it("while Redis is away, calls are refused, and work again afterwards", async () => {
    await using own = await RedisServer.start();
    await using cluster = new RedisCluster(own);
    const node = await cluster.join();
    const errors: Error[] = [];
    await using notifier = await notifierOf(cluster, {
      timeoutMs: 1_000,
      onError: (error) => void errors.push(error),
    });
    await notifier.notify(note("before"));
    await own.kill();
    for (let call = 0; call < 3; call++) {
      const error = await assertRejects(
        () => notifier.notify(note("lost")),
        ClusterError,
      );
      assertEquals(error.code, "ERR_CLUSTER");
      assertStringIncludes(error.message, "Redis is unavailable");
      await assertRejects(
        () => notifier.end({ principal: "alice" }),
        ClusterError,
        "Redis is unavailable",
      );
    }
    assertEquals(errors.length, 1);
    await own.restart();
    const stream = await (await TestClient.begin(node)).listen();
    await until(
      () => notifier.notify(note("end")).then(() => true, () => false),
      "the notifier to work again",
      PATIENCE_MS,
    );
    await messagesUntil(stream, "end");
    assertEquals(errors.length, 1);
  });

  it("a notifier can be created while Redis is away", async () => {
    await using own = await RedisServer.start();
    await using cluster = new RedisCluster(own);
    const { publisher } = await cluster.connect();
    await own.kill();
    const { prefix } = cluster;
    await using notifier = new RedisNotifier(publisher, {
      prefix,
      timeoutMs: 500,
    });
    await notifier.ready;
    await assertRejects(() => notifier.notify(note("lost")), ClusterError);
    await own.restart();
    await cluster.join();
    await until(
      () => notifier.end({ session: "s" }).then((it) => it === 0, () => false),
      "the notifier to work",
      PATIENCE_MS,
    );
  });

  it("nodes of another format are reported", async () => {
    await using cluster = new RedisCluster(server);
    const key = `{${cluster.prefix}}:format`;
    await server.command("HSET", key, "format", "99");
    const errors: Error[] = [];
    await using notifier = await notifierOf(cluster, {
      onError: (error) => void errors.push(error),
    });
    await assertRejects(() => notifier.ready, ClusterError, "format 99");
    await assertRejects(
      () => notifier.notify({ method: TOOLS }),
      ClusterError,
      "format 99",
    );
    assertEquals(errors.length, 1);
  });

  it("invalid arguments are refused as by sessions.notify and sessions.end", async () => {
    await using cluster = new RedisCluster(server);
    await using notifier = await notifierOf(cluster);
    const both = { sessions: ["s"], principal: "p" } as unknown as NotifyTarget;
    for (
      const call of [
        () => notifier.notify({ method: "" }),
        // @ts-expect-error: the parameter "uri" is missing
        () => notifier.notify({ method: UPDATED, params: {} }),
        // @ts-expect-error: a request is not a notification
        () => notifier.notify({ id: 1, method: "ping" }),
        () => notifier.notify({ method: TOOLS }, both),
        // @ts-expect-error: there is no session
        () => notifier.end({}),
        // @ts-expect-error: an ID is a string
        () => notifier.end({ session: 1 }),
      ]
    ) {
      await assertRejects(call as () => Promise<unknown>, InvalidArgumentError);
    }
    const { publisher } = await cluster.connect();
    for (
      const [client, options] of [
        [undefined, {}],
        [{}, {}],
        ["redis://localhost", {}],
        [publisher, { prefix: "{}" }],
        [publisher, { timeoutMs: 0 }],
        [publisher, { timeout: 5 }],
        [publisher, { onError: 1 }],
      ] as [never, never][]
    ) {
      assertThrows(
        () => new RedisNotifier(client, options),
        InvalidArgumentError,
      );
    }
  });

  it("an object with a method sendCommand is enough", async () => {
    await using cluster = new RedisCluster(server);
    await cluster.join();
    const { publisher } = await cluster.connect();
    const { prefix } = cluster;
    const sendCommand = (args: string[]) => publisher.sendCommand(args);
    await using notifier = new RedisNotifier({ sendCommand }, { prefix });
    assertEquals(await notifier.end({ session: "s" }), 0);
  });

  for (const kind of CLIENT_KINDS) {
    it(`works with ${kind}, as a user with the documented permissions`, async () => {
      await using cluster = new RedisCluster(server);
      const { prefix } = cluster;
      const node = await cluster.join();
      const stream = await (await TestClient.begin(node)).listen();
      const page = readFileSync(
        new URL("../../docs/operating.md", import.meta.url),
        "utf8",
      );
      const rule = /^ACL SETUSER notifier[^`]*/m.exec(page)?.[0] ?? "";
      assert(rule !== "", "The rule is missing in docs/operating.md");
      await server.command("ACL", "SETUSER", "notifier", "reset");
      await server.command(
        ...rule.replaceAll("{mcp}", `{${prefix}}`).trim().split(/\s+/),
      );
      const user = { username: "notifier", password: "secret" };
      await using clients = await connect(
        { port: server.port, ...user },
        kind,
      );
      const errors: Error[] = [];
      await using notifier = new RedisNotifier(clients.publisher, {
        prefix,
        onError: (error) => void errors.push(error),
      });
      await notifier.notify(note("one"));
      assertEquals(await notifier.end({ principal: "nobody" }), 0);
      await notifier.notify(note("end"));
      assertEquals(namesOf(await messagesUntil(stream, "end")), ["one"]);
      assertEquals(errors, []);
    });
  }
});
