import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { MessageBus } from "../../../cluster/messaging/message_bus.ts";
import {
  attach,
  type ClusterCase,
  type ClusterContext,
  forEachNode,
} from "../../support/cluster_context.ts";
import { nextTurn } from "../../support/timing.ts";
import { frame } from "../../support/test_client.ts";

/** Names that a backend may confuse, or take for a pattern. */
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

/** A bus, and the messages that it has received. */
interface Endpoint {
  readonly bus: MessageBus;
  readonly received: string[];
}

/** A message bus, and foreign messages on it. */
export const clusterBusCases: readonly ClusterCase[] = [
  {
    behaviour: "C1",
    name:
      "a bus delivers a message to one node or to all others, and to no other",
    requires: "createBus",
    run: async (context) => {
      const endpoints: Endpoint[] = [];
      for (const name of NAMES) endpoints.push(await connect(context, name));
      for (const [at, { bus }] of endpoints.entries()) {
        const next = NAMES[(at + 1) % NAMES.length];
        await publish(bus, `all from ${at}`);
        await publish(bus, `one from ${at}`, next);
        await publish(bus, "unknown node", "unknown node");
      }
      for (const [at, { received }] of endpoints.entries()) {
        const before = (at + NAMES.length - 1) % NAMES.length;
        const expected = [...NAMES.keys()].filter((from) => from !== at)
          .map((from) => `all from ${from}`)
          .concat(`one from ${before}`);
        await assertReceived(context, received, expected);
      }
      await assertNoneLeft(context, endpoints);
    },
  },
  {
    behaviour: "C1",
    name: "a bus never calls receive from within publish",
    requires: "createBus",
    run: async (context) => {
      let isPublishing = false;
      let received = 0;
      const receive = () => {
        ok(!isPublishing, "receive was called before publish returned");
        received++;
      };
      const here = await context.startBus("here", receive);
      const there = await context.startBus("there", receive);
      for (const bus of [here, there]) {
        isPublishing = true;
        const published = bus.publish("message", undefined);
        isPublishing = false;
        await published;
      }
      await context.waitUntil(() => received >= 2, "both messages");
    },
  },
  {
    behaviour: "C1",
    name:
      "a bus that is closed receives nothing, and what it published before arrives",
    requires: "createBus",
    run: async (context) => {
      const { within } = context;
      const here = await connect(context, "here");
      const there = await connect(context, "there");
      await publish(here.bus, "before close");
      await within(here.bus.close(), "close() to resolve");
      await publish(there.bus, "after close");
      await assertReceived(context, there.received, ["before close"]);
      const reopened = await connect(context, "here");
      await publish(there.bus, "hello", "here");
      await assertReceived(context, reopened.received, ["hello"]);
      deepStrictEqual(here.received, [], "A closed bus received a message");
    },
  },
  {
    behaviour: "C12",
    name: "a bus delivers messages of every length unchanged",
    requires: "createBus",
    run: async (context) => {
      const { bus } = await connect(context, "here");
      const { received } = await connect(context, "there");
      const messages = [
        "\0 \r\n \u2028 \u{1f600} \" \\ ' {}",
        "0".repeat(65_536),
        "\u{1f600}".repeat(2 ** 18),
      ];
      for (const message of messages) {
        await publish(bus, message);
        await context.waitUntil(() => received.length > 0, "a message");
        // A comparison that prints both would print megabytes.
        ok(
          received.pop() === message,
          `A message of ${message.length} characters was changed in transit`,
        );
      }
      strictEqual(received.length, 0, "A message arrived twice");
    },
  },
  {
    behaviour: "C13",
    name: "invalid and foreign messages on the bus are ignored",
    requires: "createBus",
    run: async (context) => {
      const { within } = context;
      const nodes = await context.addNodes(2);
      const { bus, received } = await connect(context, "foreign node");
      const [here, there] = await forEachNode(
        nodes,
        (node, at) => attach(node, `s${at}`),
      );
      // Valid messages, to be corrupted below.
      await nodes[0]!.info.setLogLevel("s0", "info");
      await nodes[0]!.streams.send(undefined, frame("first"));
      await context.waitUntil(
        () => received.length > 0,
        "a message of the nodes",
      );
      const invalid = INVALID.concat(received.slice(0, 20).flatMap(corrupt));
      for (const message of invalid) {
        await publish(bus, message);
        await nextTurn();
      }
      for (const [at, { streams }] of nodes.entries()) {
        await streams.send(undefined, frame(`${at}`));
      }
      for (const stream of [here!, there!]) {
        const got = await within(stream.take(3), "three messages");
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
    name: "a bus receives only messages of its own cluster",
    requires: "createBus",
    run: async (context) => {
      const endpoints: Endpoint[] = [];
      for (const name of NAMES) {
        // Every cluster has nodes of the same names.
        const cluster = `${context.cluster} ${name}`;
        endpoints.push(await connect(context, "here", cluster));
        endpoints.push(await connect(context, "there", cluster));
      }
      for (const [at, { bus }] of endpoints.entries()) {
        await publish(bus, `all from ${at}`);
        await publish(bus, `one from ${at}`, at % 2 ? "here" : "there");
      }
      for (const [at, { received }] of endpoints.entries()) {
        const other = at % 2 ? at - 1 : at + 1;
        await assertReceived(context, received, [
          `all from ${other}`,
          `one from ${other}`,
        ]);
      }
      await assertNoneLeft(context, endpoints.slice(0, 2));
    },
  },
  {
    behaviour: "C14",
    name: "clusters of different names share nothing",
    run: async ({ cluster, addNode, within }) => {
      const nodes = [];
      for (const name of NAMES) {
        nodes.push(await addNode({}, `${cluster} ${name}`));
        // Nodes of different clusters may have the same name.
        const options = { cluster: { node: "same" } };
        nodes.push(await addNode(options, `${cluster} other ${name}`));
      }
      const streams = await forEachNode(nodes, (node) => attach(node, "s"));
      await nodes[0]!.info.setLogLevel("s", "info");
      await nodes[0]!.info.addSubscription("s", "file:///a");
      await attach(nodes[0]!, "only-here");
      for (const [at, node] of nodes.entries()) {
        await node.streams.send(undefined, frame(`all ${at}`));
        await node.streams.send(["s"], frame(`s ${at}`));
      }
      for (const [at, node] of nodes.entries()) {
        await node.streams.send(["s"], frame("end"));
        const data = await within(streams[at]!.until("end"), "the last event");
        deepStrictEqual(data, [`all ${at}`, `s ${at}`]);
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

const INVALID: readonly string[] = [
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

/** Corrupted copies of a message; none of them is valid. */
function corrupt(message: string): string[] {
  const copies = [
    message.slice(0, message.length / 2),
    message.slice(1),
    message + message,
    JSON.stringify(message),
    `[${message}]`,
  ];
  try {
    const packet = JSON.parse(message);
    copies.push(
      JSON.stringify({ ...packet, v: 1_000 }),
      JSON.stringify({ ...packet, v: undefined }),
      JSON.stringify({ ...packet, kind: "of a later release" }),
      JSON.stringify({ ...packet, kind: { toString: 1 } }),
    );
  } catch {
    // This backend doesn't use JSON.
  }
  return copies;
}

async function connect(
  context: ClusterContext,
  node: string,
  cluster?: string,
): Promise<Endpoint> {
  const received: string[] = [];
  const receive = (message: string) => void received.push(message);
  return { bus: await context.startBus(node, receive, cluster), received };
}

async function publish(
  bus: MessageBus,
  message: string,
  to?: string,
): Promise<void> {
  await bus.publish(message, to);
}

/** Waits for as many messages as expected, and compares them in any order. */
async function assertReceived(
  { waitUntil }: ClusterContext,
  received: readonly string[],
  expected: readonly string[],
): Promise<void> {
  await waitUntil(
    () => received.length >= expected.length,
    `${expected.length} messages`,
  );
  deepStrictEqual([...received].sort(), [...expected].sort());
}

/** Expects that no message is in flight to these buses. */
async function assertNoneLeft(
  context: ClusterContext,
  endpoints: readonly Endpoint[],
): Promise<void> {
  const [first, second] = endpoints;
  for (const { received } of endpoints) received.length = 0;
  await publish(first!.bus, "last");
  await publish(second!.bus, "last");
  for (const [at, { received }] of endpoints.entries()) {
    await assertReceived(
      context,
      received,
      at < 2 ? ["last"] : ["last", "last"],
    );
  }
}
