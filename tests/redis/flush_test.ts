import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "node:test";
import { frame } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { MovingClient } from "./support/moving_client.ts";
import { met, RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

/** So long that no regular check happens during the test. */
const OPTIONS = {
  streams: { replay: {} },
  cluster: { heartbeatMs: 1_000, requestTimeoutMs: 5_000 },
};

describeRedis("RedisSessions: keys that vanish", () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(() => server?.[Symbol.asyncDispose]());

  it("R1 H2 FLUSHALL without a disconnect causes no 404 for live sessions, and one report for each node", async () => {
    await using cluster = new RedisCluster(server);
    const [a, b] = await cluster.joinAll(2, OPTIONS);
    const nodes = [a!, b!];
    const clients: MovingClient[] = [];
    for (let count = 0; count < 8; count++) {
      const client = await MovingClient.begin(nodes[count % 2]!);
      // Some have their stream on the other node, and some have none.
      if (count < 6) await client.open(nodes[count % 3 % 2]!);
      clients.push(client);
    }
    await server.command("FLUSHALL");
    const seen = new Set<number>();
    const begunAt = Date.now();
    let areKnown = false;
    await until(
      async () => {
        const statuses = await Promise.all(
          clients.flatMap((client) => nodes.map((node) => client.ping(node))),
        );
        for (const status of statuses) seen.add(status);
        areKnown = statuses.every((status) => status === 200);
        return areKnown && Date.now() - begunAt > 1_000;
      },
      () => `all sessions to be known again, got ${[...seen]}`,
      PATIENCE_MS,
    );
    assert(!seen.has(404), `${[...seen]}`);
    const messages = cluster.errors.map(({ message }) => message);
    assertEquals(messages.length, 2, messages.join("\n"));
    assert(messages.every((text) => /lost/.test(text)), messages.join("\n"));
    // Everyone is reached again.
    for (const [at, client] of clients.slice(0, 6).entries()) {
      await nodes[at % 2]!.streams.send([client.id], frame(`one ${at}`));
      await client.gets(`one ${at}`);
    }
    await a!.streams.send(undefined, frame("all"));
    for (const client of clients.slice(0, 6)) await client.gets("all");
    assertEquals(
      await Promise.all(
        clients.slice(0, 6).map(({ id }) => a!.streams.has(id)),
      ),
      Array(6).fill(true),
    );
    for (const client of clients) await client.leave();
  });

  it("R1 R7 what is sent after FLUSHALL to a session of a node that has not noticed it arrives", async () => {
    await using cluster = new RedisCluster(server);
    const [a, b] = await cluster.joinAll(2, OPTIONS);
    const client = await MovingClient.begin(b!);
    await client.open(b!);
    await a!.streams.send([client.id], frame("before"));
    await client.gets("before");
    await server.command("FLUSHALL");
    // Nothing asks the other node before that has restored its sessions.
    await a!.streams.send([client.id], frame("after"));
    await client.gets("after");
    await client.leave();
  });

  it("R1 FLUSHALL begins one log, and is reported once, also if a node checks the log before it sends again", async () => {
    await using cluster = new RedisCluster(server);
    // While it restores its sessions, it checks the log again.
    const heartbeatMs = 50;
    const options = { ...OPTIONS, cluster: { heartbeatMs } };
    const [a] = await cluster.joinAll(2, options);
    const client = await MovingClient.begin(a!);
    await client.open(a!);
    await a!.streams.send([client.id], frame("m1"));
    await client.gets("m1");
    await server.command("FLUSHALL");
    await until(
      () => cluster.errors.length === 2,
      "a report of each node",
      PATIENCE_MS,
    );
    const log = `{${cluster.prefix}}:1:log`;
    const epoch = await server.command("HGET", log, "epoch");
    await a!.streams.send([client.id], frame("m2"));
    await until(
      async () =>
        await server.command("EXISTS", `{${cluster.prefix}}:1:events`) === 1,
      "an event in the new log",
      PATIENCE_MS,
    );
    assertEquals(await server.command("HGET", log, "epoch"), epoch);
    assertEquals(cluster.errors.length, 2, cluster.errors.join("\n"));
    await client.gets("m2");
    await client.leave();
  });

  it("S14 a client that resumes after a reset, while nodes restore what Redis has lost, gets what was sent meanwhile", async () => {
    await using cluster = new RedisCluster(server);
    const [a] = await cluster.joinAll(2, OPTIONS);
    const client = await MovingClient.begin(a!);
    await client.open(a!);
    await a!.streams.send([client.id], frame("m1"));
    await client.gets("m1");
    await server.command("FLUSHALL");
    await until(
      async () => {
        await a!.streams.has("unknown");
        return cluster.errors.length > 0;
      },
      "a report",
      PATIENCE_MS,
    );
    await client.open(a!);
    await client.gets("reset");
    await client.leave();
    // Only this node has them until all sessions are restored.
    void a!.streams.send([client.id], frame("m2"));
    void a!.streams.send(undefined, frame("m3"));
    await client.open(a!);
    await a!.streams.send([client.id], frame("m4"));
    await client.gets("m4");
    assertEquals(client.received, ["m1", "reset", "m2", "m3", "m4"]);
    await client.leave();
  });

  it("C4 what another node restores after FLUSHALL replaces nothing newer", async () => {
    await using cluster = new RedisCluster(server);
    await using proxy = await TcpProxy.start(server.port);
    const a = await cluster.joinThrough(proxy, OPTIONS);
    const b = await cluster.join(OPTIONS);
    await met([a, b]);
    const { id } = await MovingClient.begin(a);
    await b.info.setData(id, "old");
    await a.info.setData(id, "new");
    // The other node notices it first, and this one is not told.
    proxy.silenceSubscribers();
    await server.command("FLUSHALL");
    await b.streams.has("unknown");
    await until(
      async () =>
        await server.command(
          "HGET",
          `{${cluster.prefix}}:1:s:${id}`,
          "d",
        ) === '"old"',
      "the other node to restore the session",
      PATIENCE_MS,
    );
    assertEquals(await a.info.getData(id), "new");
    await a.streams.has("unknown");
    await until(
      async () => await b.info.getData(id) === "new",
      "the newer value on the other node",
      PATIENCE_MS,
    );
  });

  it("R6 a session whose keys were evicted gets no 404 where its stream is open", async () => {
    await using cluster = new RedisCluster(server);
    const [a, b] = await cluster.joinAll(2, OPTIONS);
    const client = await MovingClient.begin(b!);
    await client.open(a!);
    await a!.streams.send([client.id], frame("m1"));
    await client.gets("m1");
    await server.command("DEL", `{${cluster.prefix}}:1:s:${client.id}`);
    assertEquals(await client.ping(a!), 200);
    // That restored it for all nodes.
    await until(
      async () => await client.ping(b!) === 200,
      "the session to be known on the other node",
      PATIENCE_MS,
    );
    await until(
      async () => {
        await b!.streams.send([client.id], frame("m2"));
        return client.received.includes("m2");
      },
      "the session to be reached",
      PATIENCE_MS,
    );
    await client.leave();
  });
});
