import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { MessageBus } from "../../../cluster/messaging/message_bus.ts";
import {
  attach,
  type ClusterCase,
  type ClusterContext,
  eachNode,
  holds,
} from "../../support/cluster_context.ts";
import { nextTurn } from "../../suites/suite.ts";
import { frame } from "../../support/test_client.ts";

/** Names that somebody may take for the same, or for more than a name. */
const NAMES = [
  "a",
  "A",
  "a:b",
  "a*",
  "*",
  "a ",
  "\u{1f600}",
  "__proto__",
  "ab",
];

/** A bus, and what comes out of it. */
interface Listener {
  readonly bus: MessageBus;
  readonly heard: string[];
}

/** The bus itself, and what else may be on it. */
export const clusterBusCases: readonly ClusterCase[] = [
  {
    behaviour: "C1",
    name: "a bus carries a text to one or to all others, and to no one else",
    needs: "createBus",
    run: async (context) => {
      const listeners: Listener[] = [];
      for (const name of NAMES) listeners.push(await listen(context, name));
      for (const [at, { bus }] of listeners.entries()) {
        const next = NAMES[(at + 1) % NAMES.length];
        await publish(bus, `all from ${at}`);
        await publish(bus, `one from ${at}`, next);
        await publish(bus, "nobody", "nobody");
      }
      for (const [at, { heard }] of listeners.entries()) {
        const before = (at + NAMES.length - 1) % NAMES.length;
        const expected = [...NAMES.keys()].filter((from) => from !== at)
          .map((from) => `all from ${from}`)
          .concat(`one from ${before}`);
        await hears(context, heard, expected);
      }
      await quiet(context, listeners);
    },
  },
  {
    behaviour: "C1",
    name: "a bus never calls back while it is called",
    needs: "createBus",
    run: async (context) => {
      const { within } = context;
      let isPublishing = false;
      let heard = 0;
      const note = () => {
        ok(!isPublishing, "A text arrives while it is published");
        heard++;
      };
      const here = await context.bus("here", note);
      const there = await context.bus("there", note);
      for (const bus of [here, there]) {
        isPublishing = true;
        const published = bus.publish("text", undefined);
        isPublishing = false;
        await published;
      }
      await holds(within, () => heard >= 2, "both texts");
    },
  },
  {
    behaviour: "C1",
    name: "a bus that is closed hears nothing, and what it said arrives",
    needs: "createBus",
    run: async (context) => {
      const { within } = context;
      const here = await listen(context, "here");
      const there = await listen(context, "there");
      await publish(here.bus, "goodbye");
      await within(here.bus.close(), "close");
      await publish(there.bus, "too late");
      await hears(context, there.heard, ["goodbye"]);
      const back = await listen(context, "here");
      await publish(there.bus, "hello", "here");
      await hears(context, back.heard, ["hello"]);
      deepStrictEqual(here.heard, []);
    },
  },
  {
    behaviour: "C12",
    name: "a bus changes nothing in a text, of any length",
    needs: "createBus",
    run: async (context) => {
      const { within } = context;
      const { bus } = await listen(context, "here");
      const { heard } = await listen(context, "there");
      const texts = [
        "\0 \r\n \u2028 \u{1f600} \" \\ ' {}",
        "0".repeat(65_536),
        "\u{1f600}".repeat(2 ** 18),
      ];
      for (const text of texts) {
        await publish(bus, text);
        await holds(within, () => heard.length > 0, "a text");
        ok(heard.pop() === text, "A text arrives as another one");
      }
      strictEqual(heard.length, 0);
    },
  },
  {
    behaviour: "C13",
    name: "whatever else is said on the bus harms nothing",
    needs: "createBus",
    run: async (context) => {
      const { within } = context;
      const nodes = await context.joinAll(2);
      const heard: string[] = [];
      const intruder = await context.bus(
        "intruder",
        (text) => void heard.push(text),
      );
      const [here, there] = await eachNode(
        nodes,
        (node, at) => attach(node, `s${at}`),
      );
      // Something to distort.
      await nodes[0]!.info.setLogLevel("s0", "info");
      await nodes[0]!.streams.send(undefined, frame("first"));
      await holds(within, () => heard.length > 0, "a text of the nodes");
      const garbage = GARBAGE.concat(heard.slice(0, 20).flatMap(distorted));
      for (const text of garbage) {
        await publish(intruder, text);
        await nextTurn();
      }
      for (const [at, { streams }] of nodes.entries()) {
        await streams.send(undefined, frame(`${at}`));
      }
      for (const stream of [here!, there!]) {
        const got = await within(stream.take(3), "the texts");
        deepStrictEqual(got.map(({ data }) => data).sort(), [
          "0",
          "1",
          "first",
        ]);
      }
      for (const node of nodes) {
        strictEqual(node.nodes().length, 2);
        strictEqual(await node.streams.has("s0"), true);
        strictEqual(await node.info.getLogLevel("s0"), "info");
      }
    },
  },
  {
    behaviour: "C14",
    name: "a bus hears only those of its own name",
    needs: "createBus",
    run: async (context) => {
      const listeners: Listener[] = [];
      for (const name of NAMES) {
        // All of them have nodes of the same name.
        const cluster = `${context.cluster} ${name}`;
        listeners.push(await listen(context, "here", cluster));
        listeners.push(await listen(context, "there", cluster));
      }
      for (const [at, { bus }] of listeners.entries()) {
        await publish(bus, `all from ${at}`);
        await publish(bus, `one from ${at}`, at % 2 ? "here" : "there");
      }
      for (const [at, { heard }] of listeners.entries()) {
        const other = at % 2 ? at - 1 : at + 1;
        await hears(context, heard, [
          `all from ${other}`,
          `one from ${other}`,
        ]);
      }
      await quiet(context, listeners.filter((_, at) => at < 2));
    },
  },
  {
    behaviour: "C14",
    name: "clusters of different names never see each other",
    run: async ({ cluster, join, within }) => {
      const nodes = [];
      for (const name of NAMES) {
        nodes.push(await join({}, `${cluster} ${name}`));
        // In each cluster there may be a node of the same name.
        const options = { cluster: { node: "same" } };
        nodes.push(await join(options, `${cluster} other ${name}`));
      }
      const streams = await eachNode(nodes, (node) => attach(node, "s"));
      await nodes[0]!.info.setLogLevel("s", "info");
      await nodes[0]!.info.addSubscription("s", "file:///a");
      await attach(nodes[0]!, "only-here");
      for (const [at, node] of nodes.entries()) {
        await node.streams.send(undefined, frame(`all ${at}`));
        await node.streams.send(["s"], frame(`s ${at}`));
      }
      for (const [at, node] of nodes.entries()) {
        await node.streams.send(["s"], frame("end"));
        const texts = await within(streams[at]!.until("end"), "the texts");
        deepStrictEqual(texts, [`all ${at}`, `s ${at}`]);
        strictEqual(node.nodes().length, 1);
        if (at === 0) continue;
        strictEqual(await node.streams.has("only-here"), false);
        deepStrictEqual(await node.info.getSubscriptions("file:///a"), []);
        const level = await node.info.getLogLevel("s").catch(() => "none");
        strictEqual(level, "none");
      }
    },
  },
];

const GARBAGE: readonly string[] = [
  "",
  "garbage",
  "null",
  "0",
  "[]",
  "{}",
  '"text"',
  '{"v":1',
  "[[[[[[[[",
  '{"__proto__":{"isPolluted":true}}',
  "\0",
  "\ud800",
  "9".repeat(400),
  "x".repeat(2 ** 20),
];

/** What may become of a text of the nodes; none of it is one of theirs. */
function distorted(text: string): string[] {
  const others = [
    text.slice(0, text.length / 2),
    text.slice(1),
    text + text,
    JSON.stringify(text),
    `[${text}]`,
  ];
  try {
    const packet = JSON.parse(text);
    others.push(
      JSON.stringify({ ...packet, v: 1_000 }),
      JSON.stringify({ ...packet, v: undefined }),
      JSON.stringify({ ...packet, kind: "of a later release" }),
      JSON.stringify({ ...packet, kind: { toString: 1 } }),
    );
  } catch {
    // It is none of JSON.
  }
  return others;
}

async function listen(
  context: ClusterContext,
  node: string,
  cluster?: string,
): Promise<Listener> {
  const heard: string[] = [];
  const note = (text: string) => void heard.push(text);
  return { bus: await context.bus(node, note, cluster), heard };
}

async function publish(
  bus: MessageBus,
  text: string,
  to?: string,
): Promise<void> {
  await bus.publish(text, to);
}

/** Waits for all that is expected, and expects nothing else. */
async function hears(
  { within }: ClusterContext,
  heard: readonly string[],
  expected: readonly string[],
): Promise<void> {
  await holds(within, () => heard.length >= expected.length, "the texts");
  deepStrictEqual([...heard].sort(), [...expected].sort());
}

/** Waits until what is said now has come everywhere, and expects nothing else. */
async function quiet(
  context: ClusterContext,
  listeners: readonly Listener[],
): Promise<void> {
  const [first, second] = listeners;
  for (const { heard } of listeners) heard.length = 0;
  await publish(first!.bus, "last");
  await publish(second!.bus, "last");
  for (const [at, { heard }] of listeners.entries()) {
    await hears(context, heard, at < 2 ? ["last"] : ["last", "last"]);
  }
}
