import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { Sent } from "../cluster_nodes/message_actions.ts";
import { withWorkers, type WorkerNode, Workers } from "./support/workers.ts";

/** Numbers as frames, from 0. */
function numbers(count: number, prefix = ""): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}

/** Opens the streams of sessions, each on a node. */
async function openAll(nodes: Record<string, WorkerNode>): Promise<void> {
  await Promise.all(
    Object.entries(nodes).map(([id, { node }]) => node.open(id)),
  );
}

/**
 * Returns what a stream received, once no message of these nodes is in flight.
 */
async function all(
  id: string,
  at: WorkerNode,
  ends: readonly string[],
): Promise<string[]> {
  const texts = await at.node.receivedAll(id, ends);
  return texts.filter((text) => !ends.includes(text));
}

/** Each node broadcasts a last frame; returns these frames. */
async function sendEnds(nodes: readonly WorkerNode[]): Promise<string[]> {
  return await Promise.all(nodes.map(async ({ messages }) => {
    const end = `end ${crypto.randomUUID()}`;
    await messages.send(undefined, end);
    return end;
  }));
}

describe("BroadcastChannelSessions: delivery", () => {
  it(
    "C1 a frame reaches the streams of every node exactly once",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(3);
      const [a, b, c] = nodes as [WorkerNode, WorkerNode, WorkerNode];
      const owners = { a1: a, a2: a, b1: b, b2: b, c1: c, c2: c };
      await openAll(owners);
      const sent = new Map<string, string[] | undefined>([
        ["to all", undefined],
        ["to one of each", ["a1", "b2", "c1"]],
        ["to others", ["b1", "b2", "c2"]],
        ["to one", ["c2"]],
        ["the same ID twice", ["b1", "b1", "a1", "b1"]],
        ["to known and unknown IDs", ["nobody", "c1", "nobody else"]],
        ["to nobody", []],
        ["to unknown IDs", ["nobody"]],
      ]);
      for (const [index, { messages }] of nodes.entries()) {
        for (const [text, to] of sent) {
          await messages.send(to, `${text}, from ${index}`);
        }
      }
      const ends = await sendEnds(nodes);
      for (const [id, at] of Object.entries(owners)) {
        const expected = nodes.flatMap((_, index) =>
          [...sent].filter(([, to]) => to === undefined || to.includes(id))
            .map(([text]) => `${text}, from ${index}`)
        );
        assertEquals(
          (await all(id, at, ends)).sort(),
          expected.sort(),
          id,
        );
      }
    }),
  );

  it(
    "C1 when all nodes send at once, nothing is lost or duplicated",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(4);
      const ids = nodes.map((_, index) => `session-${index}`);
      await Promise.all(nodes.map(({ node }, index) => node.open(ids[index]!)));
      await Promise.all(
        nodes.map(({ messages }, index) =>
          messages.sendNumbers(undefined, 1_000, `${index}:`)
        ),
      );
      const ends = await sendEnds(nodes);
      for (const [at, { node }] of nodes.entries()) {
        const got = await node.receivedAll(ids[at]!, ends);
        for (const index of nodes.keys()) {
          assertEquals(
            got.filter((text) => text.startsWith(`${index}:`)),
            numbers(1_000, `${index}:`),
          );
        }
        assertEquals(got.length, 4 * 1_000 + 4);
      }
    }),
  );

  it(
    "C2 a session gets the frames of one sender in order, targeted or broadcast",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(3);
      const [a, b, c] = nodes as [WorkerNode, WorkerNode, WorkerNode];
      const owners = { a1: a, b1: b, b2: b, c1: c };
      await openAll(owners);
      const targets = [
        undefined,
        ["b1"],
        ["b1", "c1"],
        ["c1", "a1"],
        undefined,
        ["b2"],
        ["a1", "b1", "b2", "c1"],
      ];
      for (const sender of [a, b]) {
        const prefix = sender === a ? "a:" : "b:";
        const sent: Sent[] = numbers(1_400, prefix).map((text, index) => ({
          to: targets[(index * 5 + Math.floor(index / 11)) % targets.length],
          text,
        }));
        // In one turn, one by one, and both at once.
        await sender.messages.sendMany(sent.slice(0, 700));
        for (const { to, text } of sent.slice(700, 800)) {
          await sender.messages.send(to, text);
        }
        const last = sender.messages.sendMany(sent.slice(800, 1_100));
        await sender.messages.sendMany(sent.slice(1_100));
        await last;
        const ends = await sendEnds([sender]);
        for (const [id, at] of Object.entries(owners)) {
          const got = await all(id, at, ends);
          assertEquals(
            got.filter((text) => text.startsWith(prefix)),
            sent.filter(({ to }) => to === undefined || to.includes(id))
              .map(({ text }) => text),
            id,
          );
        }
      }
    }),
  );

  for (const isNoisy of [false, true]) {
    it(
      "C8 20,000 frames of one turn arrive" +
        (isNoisy ? " while other channels are busy" : ""),
      withWorkers({}, async (workers) => {
        const nodes = await workers.start(3);
        const [a, b, c] = nodes as [WorkerNode, WorkerNode, WorkerNode];
        const owners = { a1: a, b1: b, c1: c };
        await openAll(owners);
        const noisy = workers.spawn();
        if (isNoisy) {
          await noisy.channels.startNoise();
          await b.channels.startNoise({ burst: 300 });
        }
        await a.messages.sendNumbers(undefined, 20_000);
        const expected = numbers(20_000);
        for (const [id, at] of Object.entries(owners)) {
          const got = await at.node.received(id, 20_000);
          assertEquals(got.length, 20_000);
          assertEquals(got, expected, id);
        }
        await a.messages.sendNumbers(["b1"], 20_000, "b:");
        const ends = await sendEnds(nodes);
        assertEquals(
          (await all("b1", b, ends)).slice(20_000),
          numbers(20_000, "b:"),
        );
        assertEquals((await all("c1", c, ends)).length, 20_000);
        if (isNoisy) {
          assert(await noisy.channels.stopNoise() > 1_000);
          await b.channels.stopNoise();
        }
        for (const { node } of nodes) {
          assertEquals((await node.reports()).errors, []);
        }
      }),
    );
  }

  it(
    "C12 frames of 1 MiB arrive unchanged",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(3);
      const [a, b, c] = nodes as [WorkerNode, WorkerNode, WorkerNode];
      await openAll({ a1: a, b1: b, c1: c });
      const texts = ["x", "é", "😀", '\\"'].map((unit, index) =>
        `${index} ` + unit.repeat(1_048_576 / unit.length)
      );
      for (const [index, text] of texts.entries()) {
        const to = index % 2 === 0 ? undefined : ["b1", "c1"];
        await a.messages.send(to, text);
        // One after the other: a reader with this much unread may be evicted.
        const expected = texts.slice(0, index + 1);
        assertEquals(await b.node.received("b1", index + 1), expected);
        assertEquals(await c.node.received("c1", index + 1), expected);
      }
      // Many at once, for readers without a limit.
      const unlimited = new Workers({ streams: { backlog: false } });
      try {
        const [d, e] = await unlimited.start(2);
        await e!.node.open("e1");
        const sent = numbers(16).map((number) => ({
          to: undefined,
          text: `${number} ` + "y".repeat(1_048_576),
        }));
        await d!.messages.sendMany(sent);
        const got = await e!.node.received("e1", sent.length);
        assert(got.every((text, index) => text === sent[index]!.text));
        assertEquals(got.length, sent.length);
      } finally {
        await unlimited.stop();
      }
    }),
  );

  it(
    "C12 a send to 100,000 sessions reaches each of them",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(3);
      const [a, b, c] = nodes as [WorkerNode, WorkerNode, WorkerNode];
      const ofB = numbers(5_000, "b");
      const ofC = numbers(5_000, "c");
      await Promise.all([b.node.openMany(ofB), c.node.openMany(ofC)]);
      await Promise.all([b.node.open("other"), a.node.open("own")]);
      const ids = [...numbers(89_999, "nobody"), "own", ...ofB, ...ofC];
      assertEquals(ids.length, 100_000);
      await a.messages.send(ids, "to many");
      await a.messages.send(undefined, "to all");
      for (const [names, { node }] of [[ofB, b], [ofC, c]] as const) {
        for (const name of [names[0]!, names.at(-1)!]) {
          assertEquals(await node.received(name, 2), ["to many", "to all"]);
        }
        await node.receivedAll(names.at(-1)!, ["to all"]);
        assertEquals(await node.count(names), 2 * names.length);
      }
      assertEquals(await a.node.received("own", 2), ["to many", "to all"]);
      assertEquals(await b.node.received("other", 1), ["to all"]);
    }),
  );
});
