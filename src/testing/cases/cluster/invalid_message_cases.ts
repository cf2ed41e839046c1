import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { connect, publish } from "../../support/bus_endpoint.ts";
import {
  attach,
  type ClusterCase,
  forEachNode,
} from "../../support/cluster_context.ts";
import { nextTurn } from "../../support/timing.ts";
import { frame } from "../../support/test_client.ts";

/** Foreign messages on the bus. */
export const clusterInvalidMessageCases: readonly ClusterCase[] = [
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
      const maxLength = bus.maxLength ?? Infinity;
      for (const message of invalid) {
        if (message.length * 3 > maxLength) continue;
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
