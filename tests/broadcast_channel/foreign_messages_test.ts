import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { until } from "../e2e/support/until.ts";
import { withWorkers, type WorkerNode, Workers } from "./support/workers.ts";

/** Messages that no node posts. */
const GARBAGE: readonly unknown[] = [
  undefined,
  null,
  0,
  Number.NaN,
  true,
  10n,
  "",
  "hello",
  "null",
  "[]",
  "{}",
  "{",
  '{"v":3}',
  '{"v":3,"kind":"heartbeat"}',
  '{"v":3,"kind":"batch","from":7,"incarnation":{},"messages":{}}',
  `${"[".repeat(50_000)}`,
  "x".repeat(100_000),
  {},
  [],
  { v: 3, kind: "leave", from: "a", incarnation: 1 },
  { __proto__: null, data: "data" },
  new Uint8Array(1_000),
  new ArrayBuffer(8),
  new Map([["v", 1]]),
  new Date(),
  new Error("an error"),
  [1, [2, [3]]],
];

/** Copies of a valid message with one field changed; nodes must ignore them. */
function altered(genuine: string): string[] {
  const packet = JSON.parse(genuine);
  const texts: Record<string, unknown>[] = [
    { ...packet, v: 4 },
    { ...packet, v: 0 },
    { ...packet, v: "1" },
    { ...packet, v: undefined },
    { ...packet, kind: "unheard-of" },
    { ...packet, kind: undefined },
    { ...packet, kind: "__proto__" },
    { ...packet, from: 7 },
    { ...packet, from: null },
    { ...packet, incarnation: "1" },
    { ...packet, incarnation: 0.5 },
    { ...packet, incarnation: undefined },
  ];
  return [
    ...texts.map((text) => JSON.stringify(text)),
    genuine.slice(0, -1),
    `[${genuine}]`,
    JSON.stringify(genuine),
  ];
}

describe("BroadcastChannelSessions: foreign messages", () => {
  it(
    "C13 foreign messages are ignored and counted",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(2) as [WorkerNode, WorkerNode];
      const [a, b] = nodes;
      const stranger = workers.spawn();
      await a.node.open("a0");
      await b.node.open("b0");
      const ignored = async () =>
        await Promise.all(
          nodes.map(async ({ node }) => (await node.stats()).cluster.ignored),
        );
      assertEquals(await ignored(), [0, 0]);
      const names = [
        ...new Set([
          ...await a.channels.names(),
          ...await b.channels.names(),
        ]),
      ];
      assert(names.length > 0);
      assert(names.some((name) => name.includes(workers.name)));
      // Messages that nodes have really posted, so that each copy has only one
      // fault.
      await stranger.channels.startListening(names);
      await a.messages.sendNumbers(undefined, 20);
      await b.node.received("b0", 20);
      await a.info.setLogLevel("a0", "info");
      const received = await stranger.channels.stopListening() as [
        to: string | undefined,
        text: string,
      ][];
      // One of each kind: Deno drops messages that arrive faster than they are
      // read.
      const genuine = new Map(
        received.map(([, text]) => [JSON.parse(text).kind, text]),
      );
      assert(genuine.has("batch"));
      const texts = [...genuine.values()].flatMap(altered);
      const wrong = [
        ...GARBAGE,
        ...texts,
        ...texts.map((text) => [undefined, text]),
      ];
      for (const name of names) await stranger.channels.post(name, wrong);
      const posted = names.length * wrong.length;
      await until(
        async () => (await ignored()).every((count) => count >= posted),
        "all messages to be ignored",
        10_000,
      );
      assertEquals(await ignored(), [posted, posted]);
      // Everything works as before, and no node was added.
      assertEquals((await a.node.nodes()).length, 2);
      assertEquals(await a.streams.has("b0"), true);
      await a.messages.send(["b0", "a0"], "from a");
      await b.messages.send(["b0", "a0"], "from b");
      for (const [{ node }, id] of [[a, "a0"], [b, "b0"]] as const) {
        const got = await node.receivedAll(id, ["from a", "from b"]);
        assertEquals(
          got.slice(0, 20),
          Array.from({ length: 20 }, (_, index) => `${index}`),
        );
        assertEquals(got.slice(20).sort(), ["from a", "from b"]);
      }
      await a.info.setLogLevel("b0", "alert");
      assertEquals(await b.info.getLogLevel("b0"), "alert");
      for (const { node } of nodes) {
        assertEquals((await node.reports()).errors, []);
      }
    }),
  );

  it(
    "C13 nodes work while foreign and valid messages arrive together",
    withWorkers({}, async (workers) => {
      const [a, b] = await workers.start(2) as [WorkerNode, WorkerNode];
      const stranger = workers.spawn();
      await b.node.open("b0");
      const names = new Set([
        ...await a.channels.names(),
        ...await b.channels.names(),
      ]);
      const sending = a.messages.sendNumbers(undefined, 5_000);
      for (let round = 0; round < 5; round++) {
        for (const name of names) await stranger.channels.post(name, GARBAGE);
      }
      await sending;
      assertEquals(
        await b.node.received("b0", 5_000),
        Array.from({ length: 5_000 }, (_, index) => `${index}`),
      );
    }),
  );

  it(
    "C14 clusters with different names share nothing",
    withWorkers({}, async (workers) => {
      const [a, b] = await workers.start(2) as [WorkerNode, WorkerNode];
      const { name } = workers;
      // Names that are prefixes of each other, or of the channels in use.
      const others = [
        ...new Set([
          `${name}:`,
          `${name} `,
          name.toUpperCase(),
          name.slice(0, -1),
          `${name}:${await a.node.name()}`,
          `${name}/${await a.node.name()}`,
          ...await a.channels.names(),
        ]),
      ].filter((other) => other !== name);
      const strangers: WorkerNode[] = [];
      for (const other of others) {
        const stranger = workers.spawn();
        strangers.push(stranger);
        await stranger.node.join(other, {});
      }
      for (const [index, { node }] of [a, ...strangers].entries()) {
        await node.open("same");
        await node.open(`own-${index}`);
      }
      await a.info.setLogLevel("same", "alert");
      await a.subscribers.subscribe(1, "o", { toolsListChanged: true });
      for (const [index, stranger] of strangers.entries()) {
        const { node, messages, streams, info, subscriptions } = stranger;
        assertEquals((await node.nodes()).length, 1, others[index]);
        assertEquals(await streams.has("own-0"), false);
        assertEquals(await a.streams.has(`own-${index + 1}`), false);
        await assertRejects(() => info.getLogLevel("same"));
        await messages.send(undefined, "foreign");
        await messages.send(["same"], "foreign");
        await streams.delete("own-0");
        await info.delete("same");
        await subscriptions.send({
          jsonrpc: "2.0",
          method: "notifications/tools/list_changed",
          params: { name: "foreign" },
        });
        assertEquals(await subscriptions.close(1, "o", "closed"), false);
        assertEquals((await node.stats()).cluster.ignored, 0);
      }
      await b.messages.send(undefined, "from b");
      await b.subscriptions.send({
        jsonrpc: "2.0",
        method: "notifications/tools/list_changed",
        params: { name: "from b" },
      });
      assertEquals(await a.node.received("same", 1), ["from b"]);
      assertEquals(await a.node.received("own-0", 1), ["from b"]);
      assertEquals(await a.subscribers.called(1, "o", "from b"), [
        "acknowledge",
        "from b",
      ]);
      assertEquals(await b.info.getLogLevel("same"), "alert");
      assertEquals((await a.node.nodes()).length, 2);
      for (const { node } of strangers) {
        assertEquals(await node.received("same", 2), [
          "foreign",
          "foreign",
        ]);
      }
    }),
  );

  it(
    "C14 two clusters in the same threads share no sessions",
    withWorkers({}, async (workers) => {
      const other = new Workers({});
      try {
        const [a, b] = await workers.start(2) as [WorkerNode, WorkerNode];
        const [c, d] = await other.start(2) as [WorkerNode, WorkerNode];
        await Promise.all([b, d].map(({ node }) => node.open("same")));
        await Promise.all([
          a.messages.sendNumbers(undefined, 2_000, "1:"),
          c.messages.sendNumbers(["same"], 2_000, "2:"),
        ]);
        for (const [{ node }, prefix] of [[b, "1:"], [d, "2:"]] as const) {
          assertEquals(
            await node.received("same", 2_000),
            Array.from({ length: 2_000 }, (_, index) => `${prefix}${index}`),
          );
        }
        await a.streams.delete("same");
        assertEquals(await b.node.end("same"), "closed");
        assertEquals(await d.node.states(["same"]), ["open"]);
      } finally {
        await other.stop();
      }
    }),
  );
});
