import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "node:test";
import { TestClient } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { ping } from "./support/ping.ts";
import { met, RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

const OPTIONS = {
  streams: { replay: {} },
  cluster: { heartbeatMs: 200, requestTimeoutMs: 300 },
};

/** Waits until nodes have reported an outage, each once. */
async function noticed(
  { errors }: RedisCluster,
  nodes: number,
): Promise<void> {
  await until(() => errors.length >= nodes, "the outage", PATIENCE_MS);
}

describeRedis("RedisSessions: sessions that a node cannot look up", () => {
  let server: RedisServer;
  beforeEach(async () => {
    server = await RedisServer.start();
  });
  afterEach(() => server?.[Symbol.asyncDispose]());

  const outages: [name: string, begin: () => unknown, end: () => unknown][] = [
    ["hung", () => server.pause(), () => server.resume()],
    ["came back empty", () => server.kill(), () => server.restart()],
  ];
  for (const [what, begin, end] of outages) {
    it(`R1 H2 sessions that began while Redis was away get no 404 on any node after it ${what}`, async () => {
      await using cluster = new RedisCluster(server);
      const [a, b] = await cluster.joinAll(2, OPTIONS);
      await begin();
      // Nothing else notices a server that hangs.
      void a!.streams.has("unknown");
      void b!.streams.has("unknown");
      await noticed(cluster, 2);
      const clients: TestClient[] = [];
      for (let count = 0; count < 1_000; count++) {
        clients.push(await TestClient.begin(a!));
        const { id } = clients.at(-1)!;
        await a!.info.setClientInfo(id, { name: "client", version: "1" });
        await a!.info.setLogLevel(id, "info");
      }
      await end();
      // The last session is the last one that is stored.
      const seen = new Set<string>();
      await until(
        async () => {
          const some = [clients[0]!, clients[500]!, clients.at(-1)!];
          const statuses = await Promise.all(
            some.flatMap((client) => [ping(a!, client), ping(b!, client)]),
          );
          statuses.forEach((status, at) =>
            seen.add(`${at % 2 ? "b" : "a"}: ${status}`)
          );
          return statuses.every((status) => status === 200);
        },
        () => `200 on both nodes, got ${[...seen]}`,
        PATIENCE_MS,
      );
      assert(!seen.has("a: 404") && !seen.has("b: 404"), `${[...seen]}`);
      assert(!seen.has("a: 503"), `${[...seen]}`);
    });
  }

  it("R1 H2 a node that has seen only a part of a session says 503 during an outage", async () => {
    await using proxy = await TcpProxy.start(server.port);
    await using cluster = new RedisCluster(server);
    const a = await cluster.join(OPTIONS);
    const b = await cluster.joinThrough(proxy, OPTIONS);
    await met([a, b]);
    const client = await TestClient.begin(a);
    const info = { name: "client", version: "1" };
    await a.info.setClientInfo(client.id, info);
    assertEquals(await b.info.getClientInfo(client.id), info);
    proxy.cut();
    await noticed(cluster, 1);
    assertEquals(await ping(b, client), 503);
    assertEquals(await b.info.getClientInfo(client.id), info);
    const level = await b.info.getLogLevel(client.id).catch(({ code }) => code);
    assertEquals(level, "ERR_CLUSTER");
    proxy.heal();
    await until(
      async () => await ping(b, client) === 200,
      "the session to be known again",
      PATIENCE_MS,
    );
  });

  it("R1 O3 a session that ended during an outage gets 404 on its node, and stays ended", async () => {
    await using proxy = await TcpProxy.start(server.port);
    await using cluster = new RedisCluster(server);
    const [a] = await cluster.joinAll(1, OPTIONS);
    const b = await cluster.joinThrough(proxy, OPTIONS);
    await met([a!, b]);
    const client = await TestClient.begin(b);
    assertEquals(await ping(a!, client), 200);
    proxy.cut();
    await noticed(cluster, 1);
    await b.info.delete(client.id);
    assertEquals(await ping(b, client), 404);
    proxy.heal();
    await until(
      async () => {
        assertEquals(await ping(b, client), 404);
        return await ping(a!, client) === 404;
      },
      "the end of the session to be known",
      PATIENCE_MS,
    );
    assertEquals(await ping(b, client), 404);
  });

  it("R1 P4 the rest of a response on another node is unavailable, not unknown, during an outage", async () => {
    await using cluster = new RedisCluster(server);
    const [a, b] = await cluster.joinAll(2, OPTIONS);
    const client = await TestClient.begin(a!);
    const { events, call } = await client.work(7);
    const note = { jsonrpc: "2.0", method: "notifications/message" };
    call.send({ ...note, params: { level: "info", data: "working" } });
    const [first] = await events.take();
    await events.cancel();
    assertEquals(await ping(b!, client), 200);
    await server.kill();
    await noticed(cluster, 2);
    const resumed = await new TestClient(b!, { id: client.id }).request(
      "GET",
      { accept: "text/event-stream", "last-event-id": first!.lastEventId },
    );
    assertEquals(resumed.status, 503);
  });
});
