import { assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { meet } from "../cluster_nodes/remote_nodes.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import type { ClientKind } from "./support/clients.ts";
import { type ProcessNode, withProcesses } from "./support/processes.ts";
import {
  describeRedis,
  hasRedis,
  RedisServer,
} from "./support/redis_server.ts";
import { programOf, type RuntimeName } from "./support/runtimes.ts";

type Three = [ProcessNode, ProcessNode, ProcessNode];

const RUNTIMES: readonly [RuntimeName, ClientKind][] = [
  ["deno", "node-redis 6, RESP3"],
  ["node", "ioredis 6, RESP3"],
  ["bun", "Bun's own"],
];
/** The runtimes that are available, and the reason to skip the others. */
const missing = hasRedis
  ? RUNTIMES.filter(([runtime]) => programOf(runtime) === undefined)
  : [];

describeRedis("RedisSessions: Deno, Node and Bun in one cluster", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.kill());

  if (missing.length > 0) {
    it.skip(`needs ${missing.map(([runtime]) => runtime).join(" and ")}`);
    return;
  }

  const mixed = (run: (nodes: Three) => Promise<void>) =>
    withProcesses(
      () => server,
      { cluster: { heartbeatMs: 300 }, streams: { replay: {} } },
      async (processes) => {
        const nodes = RUNTIMES.map(([runtime, kind]) =>
          processes.spawnOn(runtime, { kind })
        ) as Three;
        await Promise.all(nodes.map((node) => processes.join(node)));
        await meet(nodes);
        await run(nodes);
      },
    );

  it(
    "C1 C3 C4 C5 what one of them does, all know",
    mixed(async (nodes) => {
      for (const [at, home] of nodes.entries()) {
        const next = nodes[(at + 1) % 3]!;
        const last = nodes[(at + 2) % 3]!;
        const id = `s${at}`;
        await home.node.open(id);
        for (const { streams } of nodes) {
          assertEquals(await streams.has(id), true);
        }
        for (const [from, { messages }] of nodes.entries()) {
          await messages.send([id], `${from} \u{1f600}`);
          await messages.send(undefined, `${from} all`);
        }
        const expected = [0, 1, 2].flatMap((from) => [
          `${from} \u{1f600}`,
          `${from} all`,
        ]);
        const got = await home.node.receivedAll(id, expected);
        assertEquals(got.toSorted(), expected.toSorted());
        // Another one takes it over.
        await next.node.open(id);
        assertEquals(await home.node.end(id), "closed");
        await last.messages.send([id], "moved");
        assertEquals(await next.node.received(id, 1), ["moved"]);
        await last.streams.delete(id);
        assertEquals(await next.node.end(id), "closed");
        for (const { streams } of nodes) {
          assertEquals(await streams.has(id), false);
        }
      }
    }),
  );

  it(
    "C4 C11 C15 metadata and subscriptions are shared",
    mixed(async (nodes) => {
      for (const [at, home] of nodes.entries()) {
        const id = `s${at}`;
        const info = { name: `\u{1f600} ${at}`, version: "1" };
        await home.info.setClientInfo(id, info);
        await home.info.setClientCapabilities(id, { roots: {} });
        await nodes[(at + 1) % 3]!.info.setLogLevel(id, "alert");
        await nodes[(at + 2) % 3]!.info.addSubscription(id, "file:///é");
        for (const other of nodes) {
          assertEquals(await other.info.getClientInfo(id), info);
          assertEquals(await other.info.getLogLevel(id), "alert");
          const subscribed = await other.info.getSubscriptions("file:///é");
          assertEquals(subscribed, [id]);
        }
        await nodes[(at + 1) % 3]!.info.delete(id);
        assertEquals(await home.info.getSubscriptions("file:///é"), []);
        const filter = { toolsListChanged: true } as const;
        await home.subscribers.subscribe(at, "o", filter);
        for (const { subscriptions } of nodes) {
          await subscriptions.send({
            jsonrpc: "2.0",
            method: "notifications/tools/list_changed",
          });
        }
        const { subscriptions } = nodes[(at + 2) % 3]!;
        assertEquals(await subscriptions.close(at, "o", "closed"), true);
        await home.subscribers.called(at, "o", "close: closed");
      }
    }),
  );

  it(
    "H4 H7 a client moves from one to the other, and misses nothing",
    mixed(async (nodes) => {
      const id = await nodes[0].clients.begin();
      let lastEventId: string | undefined;
      for (const at of [0, 1, 2, 0, 2, 1]) {
        const { clients } = nodes[at]!;
        assertEquals(await clients.listen(id, lastEventId), 200);
        const missed = lastEventId === undefined ? [] : ["missed"];
        await nodes[(at + 1) % 3]!.messages.send([id], "live");
        const events = await clients.events(id, missed.length + 1);
        assertEquals(events.map(({ data }) => data), [...missed, "live"]);
        ({ lastEventId } = events.at(-1)!);
        await clients.leave(id);
        await nodes[(at + 2) % 3]!.messages.send([id], "missed");
      }
      const [victim, ...others] = nodes;
      await victim.kill();
      await until(
        async () => (await others[0]!.node.nodes()).length === 2,
        "the killed node to be gone",
        PATIENCE_MS,
      );
      for (const { clients } of others) {
        assertEquals(await clients.ping(id), 200);
      }
      assertEquals(await others[0]!.clients.end(id), 200);
      assertEquals(await others[1]!.clients.ping(id), 404);
    }),
  );
});
