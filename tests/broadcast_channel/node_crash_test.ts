import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { until } from "../e2e/support/until.ts";
import {
  meet,
  PATIENCE_MS,
  withWorkers,
  type WorkerNode,
  type Workers,
} from "./support/workers.ts";

type Three = [WorkerNode, WorkerNode, WorkerNode];

const HEARTBEAT_MS = 200;
const LEASE_MS = 3 * HEARTBEAT_MS;
/** Short leases keep the tests short. */
const MORTAL = { cluster: { heartbeatMs: HEARTBEAT_MS } };

/**
 * Returns how long it took until a condition was true, in milliseconds, without
 * the time during which the event loop was blocked.
 */
async function timeUntil(
  isSo: () => Promise<boolean>,
  what: string,
): Promise<number> {
  const start = performance.now();
  let lost = 0;
  let looked = start;
  await until(
    async () => {
      const isOver = await isSo();
      const now = performance.now();
      lost += Math.max(0, now - looked - 20);
      looked = now;
      return isOver;
    },
    what,
    PATIENCE_MS,
  );
  return performance.now() - start - lost;
}

async function isGone(
  nodes: readonly WorkerNode[],
  ids: readonly string[],
): Promise<boolean> {
  const has = await Promise.all(
    nodes.flatMap(({ streams }) => ids.map((id) => streams.has(id))),
  );
  return !has.includes(true);
}

/** Expects that every node reaches every other one. */
async function work(nodes: readonly WorkerNode[]): Promise<void> {
  const ids = nodes.map(() => crypto.randomUUID());
  await Promise.all(nodes.map(({ node }, at) => node.open(ids[at]!)));
  const texts: string[] = [];
  for (const [from, { messages, streams }] of nodes.entries()) {
    for (const id of ids) assertEquals(await streams.has(id), true);
    await messages.send(undefined, `broadcast from ${from}`);
    await messages.send(ids, `targeted from ${from}`);
    texts.push(`broadcast from ${from}`, `targeted from ${from}`);
  }
  for (const [at, { node }] of nodes.entries()) {
    const got = await node.receivedAll(ids[at]!, texts);
    // Broadcasts of other nodes may arrive in between.
    assertEquals(got.sort(), [...texts].sort());
  }
}

async function startThree(workers: Workers): Promise<Three> {
  return await workers.start(3) as Three;
}

describe("BroadcastChannelSessions: nodes that leave or crash", () => {
  it(
    "C6 the sessions of a killed node are gone within its lease and a second",
    withWorkers(MORTAL, async (workers) => {
      const [a, b, c] = await startThree(workers);
      const ids = Array.from({ length: 50 }, (_, index) => `c${index}`);
      await c.node.openMany(ids);
      await a.node.open("a0");
      await c.info.setLogLevel("c0", "alert");
      await c.kill();
      const ms = await timeUntil(
        () => isGone([a, b], ids),
        "the sessions of the killed node to be gone",
      );
      assert(ms < LEASE_MS + 1_000, `It took ${ms} ms.`);
      await meet([a, b]);
      // The metadata of the session does not belong to the node.
      assertEquals(await a.info.getLogLevel("c0"), "alert");
      assertEquals(await b.streams.has("a0"), true);
      await b.node.open("c0");
      await work([a, b]);
    }),
  );

  it(
    "C6 the sessions of a closed node are gone within a second",
    withWorkers({}, async (workers) => {
      const [a, b, c] = await startThree(workers);
      await c.node.openMany(["c0", "c1"]);
      await c.node.close();
      assertEquals(await c.node.states(["c0", "c1"]), ["closed", "closed"]);
      const ms = await timeUntil(
        () => isGone([a, b], ["c0", "c1"]),
        "the sessions of the closed node to be gone",
      );
      assert(ms < 1_000, `It took ${ms} ms.`);
      await meet([a, b]);
      await work([a, b]);
    }),
  );

  it(
    "C6 a node that restarts within its lease replaces the earlier node at once",
    withWorkers({ cluster: { heartbeatMs: 3_000 } }, async (workers) => {
      const [a, b] = await workers.start(2) as [WorkerNode, WorkerNode];
      const first = workers.spawn();
      const second = workers.spawn();
      // The second thread is started earlier, so that the node is there within
      // the lease.
      await second.channels.names();
      await workers.join(first, { node: "phoenix" });
      await meet([a, b, first]);
      await first.node.openMany(["old", "both"]);
      await first.subscribers.subscribe(1, "o", { toolsListChanged: true });
      assertEquals(await a.streams.has("old"), true);
      await first.kill();
      const killedAt = performance.now();
      await workers.join(second, { node: "phoenix" });
      await meet([a, b, second]);
      await second.node.open("both");
      await until(
        () => isGone([a, b, second], ["old"]),
        "the earlier node's sessions to be gone",
      );
      const ms = performance.now() - killedAt;
      assert(
        ms < 9_000,
        `It took ${ms} ms: only the end of the lease removed them.`,
      );
      for (const { streams } of [a, b, second]) {
        assertEquals(await streams.has("both"), true);
      }
      assertEquals(
        await a.subscriptions.close(1, "o", "closed"),
        false,
      );
      await a.messages.send(["both", "old"], "hello");
      assertEquals(await second.node.received("both", 1), ["hello"]);
      await work([a, b, second]);
      assertEquals(await isGone([a, b, second], ["old"]), true);
    }),
  );

  it(
    "C6 killing a node while it sends does not affect the others",
    withWorkers(MORTAL, async (workers) => {
      const [a, b, c] = await startThree(workers);
      await a.node.open("a0");
      await b.node.open("b0");
      await b.messages.startNumbers(undefined, { prefix: "b:" });
      await c.messages.startNumbers(undefined, { prefix: "c:" });
      const isOfC = (text: string) => text.startsWith("c:");
      await until(
        async () => (await a.node.received("a0")).filter(isOfC).length > 500,
        "frames of the node that will be killed",
        PATIENCE_MS,
      );
      await c.kill();
      await meet([a, b]);
      const count = await b.messages.stopNumbers();
      await b.messages.send(undefined, "end");
      for (const [{ node }, id] of [[a, "a0"], [b, "b0"]] as const) {
        const got = await node.receivedAll(id, ["end"]);
        const ofC = got.filter(isOfC);
        // A prefix of what was sent, in order and without gaps.
        assertEquals(ofC, ofC.map((_, index) => `c:${index}`));
        assertEquals(
          got.filter((text) => text.startsWith("b:")),
          Array.from({ length: count }, (_, index) => `b:${index}`),
        );
      }
      await work([a, b]);
    }),
  );

  it(
    "C6 killing a node while others send to it does not affect them",
    withWorkers(MORTAL, async (workers) => {
      const [a, b, c] = await startThree(workers);
      await b.node.open("b0");
      await c.node.open("c0");
      const sending = a.messages.sendNumbers(undefined, 20_000);
      const toBoth = a.messages.sendNumbers(["b0", "c0"], 2_000, "both:");
      await c.node.received("c0", 1);
      await c.kill();
      const got = await b.node.received("b0", 22_000);
      assertEquals(
        got.filter((text) => !text.startsWith("both:")),
        Array.from({ length: 20_000 }, (_, index) => `${index}`),
      );
      assertEquals(
        got.filter((text) => text.startsWith("both:")),
        Array.from({ length: 2_000 }, (_, index) => `both:${index}`),
      );
      // No node waits for a dead one.
      await Promise.all([sending, toBoth]);
      await meet([a, b]);
      await work([a, b]);
    }),
  );

  it(
    "C6 requests to a killed node are responded without it",
    withWorkers(MORTAL, async (workers) => {
      const [a, b, c] = await startThree(workers);
      await c.node.openMany(["c0", "c1"]);
      await c.kill();
      // The others may still consider it alive.
      await Promise.all([
        a.streams.delete("c0"),
        a.node.open("c1"),
        a.info.setLogLevel("c0", "info"),
      ]);
      assertEquals(await a.streams.has("unknown"), false);
      const error = await assertRejects(() => b.info.getLogLevel("unknown"));
      assertEquals((error as Error).name, "SessionNotFoundError");
      assertEquals(await b.info.getLogLevel("c0"), "info");
      await meet([a, b]);
      assertEquals(await isGone([a, b], ["c0"]), true);
      assertEquals(await b.streams.has("c1"), true);
      await work([a, b]);
    }),
  );

  it(
    "C7 a node that was blocked for twice its lease returns, and all agree",
    withWorkers({ cluster: { heartbeatMs: 300 } }, async (workers) => {
      const [a, b, c] = await startThree(workers);
      await a.node.openMany(["a0", "a1"]);
      await b.node.open("b0");
      await c.node.openMany(["c0", "c1", "moving"]);
      const name = await c.node.name();
      const blocked = c.node.block(2 * 3 * 300);
      await until(
        async () => !(await a.node.nodes()).includes(name),
        "the node to be considered dead",
        PATIENCE_MS,
      );
      assertEquals(await isGone([a], ["c0", "c1"]), true);
      // Things change while it is away.
      await a.node.open("moving");
      await a.node.open("a2");
      await a.streams.delete("a1");
      await b.info.setLogLevel("b0", "alert");
      await blocked;
      await meet([a, b, c]);
      await until(
        async () => {
          const [c0, a2, a1] = await Promise.all([
            a.streams.has("c0"),
            c.streams.has("a2"),
            c.streams.has("a1"),
          ]);
          return c0 && a2 && !a1;
        },
        "all nodes to agree",
        PATIENCE_MS,
      );
      assertEquals(await b.streams.has("c1"), true);
      assertEquals(await c.info.getLogLevel("b0"), "alert");
      // The newer stream of a session wins.
      assertEquals(await c.node.end("moving"), "closed");
      assertEquals(await a.node.states(["moving"]), ["open"]);
      await c.messages.send(["moving", "b0"], "from c");
      assertEquals((await a.node.received("moving", 1)).at(-1), "from c");
      assertEquals((await b.node.received("b0", 1)).at(-1), "from c");
      await b.messages.send(["c0"], "from b");
      assertEquals((await c.node.received("c0", 1)).at(-1), "from b");
      await work([a, b, c]);
    }),
  );

  it(
    "C7 a node that is blocked for less than its lease misses nothing",
    withWorkers({}, async (workers) => {
      const [a, b, c] = await startThree(workers);
      await Promise.all([b.node.open("b0"), c.node.open("c0")]);
      const blocked = c.node.block(1_000);
      await a.messages.sendNumbers(undefined, 2_000);
      await a.messages.sendNumbers(["c0"], 100, "own:");
      await blocked;
      const numbers = Array.from({ length: 2_000 }, (_, index) => `${index}`);
      const own = Array.from({ length: 100 }, (_, index) => `own:${index}`);
      assertEquals(await b.node.received("b0", 2_000), numbers);
      assertEquals(await c.node.received("c0", 2_100), [...numbers, ...own]);
      await work([a, b, c]);
    }),
  );

  it(
    "S13 a thread whose sessions are closed ends by itself",
    withWorkers({}, async (workers) => {
      const [a, b] = await workers.start(2) as [WorkerNode, WorkerNode];
      await a.node.open("a0");
      await a.subscribers.subscribe(1, "o", { toolsListChanged: true });
      await b.messages.send(undefined, "hello");
      await a.node.received("a0", 1);
      await a.node.close();
      await a.node.hangUp();
      await a.end();
    }),
  );
});
