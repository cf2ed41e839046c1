import { assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { meet } from "../cluster_nodes/remote_nodes.ts";
import { until } from "../e2e/support/until.ts";
import { type ProcessNode, withProcesses } from "./support/processes.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

const OPTIONS = {
  cluster: { heartbeatMs: 200, requestTimeoutMs: 500 },
  streams: { replay: {} },
};
const SENDS = 20;
const HOUR_MS = 3_600_000;

/** Nodes, the last one with another clock and a connection that can be cut. */
interface Nodes {
  readonly a: ProcessNode;
  readonly c: ProcessNode;
  readonly h: ProcessNode;
  readonly proxy: TcpProxy;
}

describeRedis("RedisSessions: clocks that differ", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.[Symbol.asyncDispose]());

  const withClock = (
    clockAheadMs: number,
    run: (nodes: Nodes) => Promise<void>,
  ) =>
    withProcesses(() => server, OPTIONS, async (processes) => {
      await using proxy = await TcpProxy.start(server.port);
      const [a, c] = await processes.start(2) as [ProcessNode, ProcessNode];
      const { port } = proxy;
      const h = processes.spawnOn(undefined, { port, clockAheadMs });
      await processes.join(h);
      await meet([a, c, h]);
      await run({ a, c, h, proxy });
    });

  /** Cuts the node off, and waits until it has noticed. */
  async function cut({ h, proxy }: Nodes): Promise<void> {
    proxy.cut();
    await until(
      async () => (await h.node.reports()).errors.length > 0,
      "the outage to be noticed",
      PATIENCE_MS,
    );
  }

  /** Connects the node again, and waits until it has Redis. */
  async function heal({ a, h, proxy }: Nodes): Promise<void> {
    await a.node.open("witness");
    proxy.heal();
    await until(
      () => h.streams.has("witness"),
      "Redis to be back",
      PATIENCE_MS,
    );
  }

  for (const clockAheadMs of [5_000, -HOUR_MS]) {
    const clock = `${Math.abs(clockAheadMs) / 1_000} s ${
      clockAheadMs > 0 ? "ahead" : "behind"
    }`;

    it(
      `C18 a node whose clock is ${clock} does not take a session that left it in an outage`,
      withClock(clockAheadMs, async (nodes) => {
        const { a, c, h } = nodes;
        const id = await a.clients.begin();
        assertEquals(await h.clients.listen(id), 200);
        assertEquals(await a.clients.listen(id), 200);
        await cut(nodes);
        assertEquals(await h.clients.listen(id), 200);
        await h.clients.leave(id);
        assertEquals(await a.clients.listen(id), 200);
        await heal(nodes);
        await c.messages.sendNumbers([id], SENDS);
        const events = await a.clients.events(id, SENDS);
        assertEquals(
          events.map(({ data }) => data),
          Array.from({ length: SENDS }, (_, at) => `${at}`),
        );
        assertEquals(await c.streams.has(id), true);
        assertEquals(await h.streams.has(id), true);
      }),
    );

    it(
      `C18 a node whose clock is ${clock} keeps a session that came to it in an outage`,
      withClock(clockAheadMs, async (nodes) => {
        const { a, c, h } = nodes;
        const id = await a.clients.begin();
        assertEquals(await h.clients.listen(id), 200);
        assertEquals(await a.clients.listen(id), 200);
        await cut(nodes);
        assertEquals(await h.clients.listen(id), 200);
        await heal(nodes);
        const texts = async () =>
          (await h.clients.events(id, 0)).map(({ data }) => data);
        // It may get a reset in between.
        await until(
          async () => {
            await c.messages.send([id], "ping");
            return (await texts()).includes("ping");
          },
          "the session to be reached",
          PATIENCE_MS,
        );
        await c.messages.send([id], "last");
        await until(
          async () => (await texts()).includes("last"),
          "the last event",
          PATIENCE_MS,
        );
        // The node that it left is informed by a message.
        await until(
          async () => await c.streams.has(id) && await a.streams.has(id),
          "all nodes to know its stream",
          PATIENCE_MS,
        );
      }),
    );
  }
});
