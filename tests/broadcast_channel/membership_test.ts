import type { LoggingLevel } from "@crossmcp/session-manager";
import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { until } from "../e2e/support/until.ts";
import {
  PATIENCE_MS,
  withWorkers,
  type WorkerNode,
} from "./support/workers.ts";

/** What each node returns for `has`. */
function has(nodes: readonly WorkerNode[], id: string): Promise<boolean[]> {
  return Promise.all(nodes.map(({ streams }) => streams.has(id)));
}

function everywhere<Value>(
  nodes: readonly WorkerNode[],
  value: Value,
): Value[] {
  return nodes.map(() => value);
}

/**
 * How many of the streams with these names are open; one name for each node.
 */
async function openStreams(
  nodes: readonly WorkerNode[],
  names: readonly string[],
): Promise<number[]> {
  const states = await Promise.all(
    nodes.map(({ node }) => node.states(names)),
  );
  return names.map((_, index) =>
    states.filter((state) => state[index] === "open").length
  );
}

describe("BroadcastChannelSessions: membership", () => {
  it(
    "C3 has() and delete() work from any node, and delete() ends the stream",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(3);
      for (const [at, home] of nodes.entries()) {
        for (const [from, { streams }] of nodes.entries()) {
          const id = `session-${at}-${from}`;
          await home.node.open(id);
          await home.node.open(`${id}-beside`);
          assertEquals(await has(nodes, id), everywhere(nodes, true));
          assertEquals(await has(nodes, `${id}x`), everywhere(nodes, false));
          await streams.delete(id);
          assertEquals(await home.node.end(id), "closed");
          assertEquals(await has(nodes, id), everywhere(nodes, false));
          // Does nothing.
          await streams.delete(id);
          assertEquals(
            await has(nodes, `${id}-beside`),
            everywhere(nodes, true),
          );
          // The ID is free again.
          await nodes[from]!.node.open(id);
          assertEquals(await has(nodes, id), everywhere(nodes, true));
        }
      }
    }),
  );

  it(
    "C3 a stream whose client leaves is gone on every node",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(3);
      const [a, b] = nodes as [WorkerNode, WorkerNode, WorkerNode];
      await a.node.open("a");
      assertEquals(await has(nodes, "a"), everywhere(nodes, true));
      await a.node.leave("a");
      await until(
        async () => !(await has(nodes, "a")).includes(true),
        "the stream to be gone",
        PATIENCE_MS,
      );
      await b.messages.send(["a"], "to nobody");
      await b.node.open("a");
      await a.messages.send(["a"], "again");
      assertEquals(await b.node.received("a", 1), ["again"]);
    }),
  );

  it(
    "C4 once create() or delete() has resolved, every node knows",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(3);
      for (let round = 0; round < 150; round++) {
        const id = `session-${round}`;
        const home = nodes[round % 3]!;
        const other = nodes[(round + 1 + round % 2) % 3]!;
        await home.node.open(id);
        assertEquals(await has(nodes, id), everywhere(nodes, true), id);
        await other.messages.send([id], "hello");
        assertEquals(await home.node.received(id, 1), ["hello"]);
        if (round % 3 > 0) continue;
        await other.streams.delete(id);
        assertEquals(await has(nodes, id), everywhere(nodes, false), id);
      }
    }),
  );

  it(
    "C4 once a setter has resolved, every node reads the value",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(3);
      const every = <Value>(read: (node: WorkerNode) => Promise<Value>) =>
        Promise.all(nodes.map(read));
      const id = "session";
      for (let round = 0; round < 60; round++) {
        const [writer, other] = [nodes[round % 3]!, nodes[(round + 1) % 3]!];
        const name = `client ${round}`;
        await writer.info.setClientInfo(id, { name, version: "1" });
        for (const info of await every(({ info }) => info.getClientInfo(id))) {
          assertEquals(info, { name, version: "1" });
        }
        // Another node overwrites what this one has written.
        const capabilities = { experimental: { round: { round } } };
        await other.info.setClientInfo(id, { name: "other", version: "1" });
        await writer.info.setClientCapabilities(id, capabilities);
        assertEquals(
          await every(({ info }) => info.getClientCapabilities(id)),
          everywhere(nodes, capabilities),
        );
        assertEquals(
          (await writer.info.getClientInfo(id))?.name,
          "other",
        );
        const level: LoggingLevel = round % 2 === 0 ? "error" : "debug";
        await other.info.setLogLevel(id, level);
        assertEquals(
          await every(({ info }) => info.getLogLevel(id)),
          everywhere(nodes, level),
        );
        await writer.info.addSubscription(id, "file:///a");
        assertEquals(
          await every(({ info }) => info.getSubscriptions("file:///a")),
          everywhere(nodes, [id]),
        );
        await other.info.removeSubscription(id, "file:///a");
        assertEquals(
          await every(({ info }) => info.getSubscriptions("file:///a")),
          everywhere(nodes, []),
        );
        if (round % 4 > 0) continue;
        await writer.info.addSubscription(id, "file:///b");
        await other.info.delete(id);
        for (const { info } of nodes) {
          const error = await assertRejects(() => info.getLogLevel(id));
          assertEquals((error as Error).name, "SessionNotFoundError");
          assertEquals(await info.getSubscriptions("file:///b"), []);
        }
      }
    }),
  );

  it(
    "C5 of streams that nodes create for one session at once, one stays open",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(4);
      for (let round = 0; round < 40; round++) {
        const id = `session-${round}`;
        // Two, three or four nodes, starting with another one each time.
        const rivals = nodes.map((_, at) => nodes[(round + at) % 4]!)
          .slice(0, 2 + round % 3);
        await Promise.all(rivals.map(({ node }) => node.open(id)));
        await agree(nodes, [id]);
      }
    }),
  );

  it(
    "C5 nodes agree on many sessions that they create at once",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(3);
      const ids = Array.from({ length: 200 }, (_, index) => `session-${index}`);
      await Promise.all(nodes.map(({ node }) => node.openMany(ids)));
      await agree(nodes, ids);
      // They move once more, to the same node.
      await nodes[2]!.node.openMany(ids);
      await agree(nodes, ids);
      assertEquals(
        await openStreams([nodes[2]!], ids),
        ids.map(() => 1),
      );
    }),
  );

  it(
    "C5 a stream that moves from node to node is open on the last one only",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(3);
      for (let round = 0; round < 60; round++) {
        const { node } = nodes[(round * 2 + Math.floor(round / 5)) % 3]!;
        await node.open("session", `stream-${round}`);
        const names = Array.from(
          { length: round + 1 },
          (_, index) => `stream-${index}`,
        );
        await until(
          async () => {
            const open = await openStreams(nodes, names);
            return open.every((count, at) => count === (at === round ? 1 : 0));
          },
          "the newest stream to be the only one",
          PATIENCE_MS,
        );
        const sender = nodes[round % 3]!;
        await sender.messages.send(["session"], `text ${round}`);
        assertEquals(await node.received(`stream-${round}`, 1), [
          `text ${round}`,
        ]);
      }
    }),
  );
});

/**
 * Expects that each session has one open stream, which receives each frame of
 * every node once.
 */
async function agree(
  nodes: readonly WorkerNode[],
  ids: readonly string[],
): Promise<void> {
  await until(
    async () => (await openStreams(nodes, ids)).every((count) => count === 1),
    "each session to have one open stream",
    PATIENCE_MS,
  );
  for (const { streams } of nodes) {
    assertEquals(await Promise.all(ids.map((id) => streams.has(id))), [
      ...ids.map(() => true),
    ]);
  }
  const texts = await Promise.all(nodes.map(async ({ messages }, index) => {
    const text = `${crypto.randomUUID()} from ${index}`;
    await messages.send([...ids], text);
    return text;
  }));
  for (const { node } of nodes) {
    const states = await node.states(ids);
    for (const [index, id] of ids.entries()) {
      if (states[index] !== "open") continue;
      const got = await node.receivedAll(id, texts);
      assertEquals(
        got.filter((text) => texts.includes(text)).sort(),
        [...texts].sort(),
      );
    }
  }
  // It is still the only one.
  assertEquals(await openStreams(nodes, ids), ids.map(() => 1));
}
