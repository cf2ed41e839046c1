import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import {
  assertMessageBus,
  type MessageBus,
} from "../../../cluster/messaging/message_bus.ts";
import {
  attach,
  type ClusterCase,
  forEachNode,
} from "../../support/cluster_context.ts";
import {
  assertNoneLeft,
  assertReceived,
  connect,
  type Endpoint,
  NAMES,
  publish,
  rule,
} from "../../support/bus_endpoint.ts";
import { frame } from "../../support/test_client.ts";

const MIB = 2 ** 20;

/** A message bus: one test for each rule of its documentation. */
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
        await rule(
          publish(bus, "unknown node", "unknown node"),
          '"publish" to a name that no node has must not fail',
        );
      }
      for (const [at, { received }] of endpoints.entries()) {
        const before = (at + NAMES.length - 1) % NAMES.length;
        const expected = [...NAMES.keys()].filter((from) => from !== at)
          .map((from) => `all from ${from}`)
          .concat(`one from ${before}`);
        await assertReceived(
          context,
          received,
          expected,
          `A bus must deliver what is for all to all others, what is for one node ` +
            "to that node, and nothing to its sender or twice; this is what node " +
            `${JSON.stringify(NAMES[at])} received`,
        );
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
        ok(
          !isPublishing,
          '"receive" must not be called from within "publish" of any bus',
        );
        received++;
      };
      const here = await context.startBus("here", receive);
      const there = await context.startBus("there", receive);
      for (const bus of [here, there]) {
        isPublishing = true;
        const published = bus.publish("message", undefined);
        isPublishing = false;
        ok(
          published === undefined || typeof published.then === "function",
          '"publish" must return undefined or a promise',
        );
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
      await assertReceived(
        context,
        there.received,
        ["before close"],
        '"close" must resolve after everything published before was sent',
      );
      const reopened = await connect(context, "here");
      await publish(there.bus, "hello", "here");
      await assertReceived(
        context,
        reopened.received,
        ["hello"],
        "A new bus must be able to take the name of one that was closed",
      );
      deepStrictEqual(here.received, [], "A closed bus received a message");
    },
  },
  {
    behaviour: "C1",
    name: "a bus can be closed twice, before it starts and while it starts",
    requires: "createBus",
    run: async ({ createBus, startBus, within }) => {
      const close = (bus: MessageBus, when: string) =>
        rule(
          within(Promise.resolve(bus.close()), `close() ${when} to resolve`),
          `"close" ${when} must not throw or reject`,
        );
      await close(await createBus(), "before start()");
      const starting = await createBus();
      const started = Promise.resolve(starting.start("here", () => {}));
      await close(starting, "while start() runs");
      // It may fail because the bus was closed.
      await within(started.catch(() => {}), "start() to settle after close()");
      const bus = await startBus("there");
      await close(bus, "for the first time");
      await close(bus, "for the second time");
    },
  },
  {
    behaviour: "C1",
    name: "a bus says truthfully what it can do",
    requires: "createBus",
    run: async ({ startBus }) => {
      const bus = await startBus("here");
      assertMessageBus(bus);
      ok(
        bus.isDown === undefined || bus.isDown === false,
        `"isDown" must be false or undefined while the bus works, but is ` +
          `${bus.isDown}`,
      );
      for (const [name, value] of Object.entries(bus.flowControl ?? {})) {
        ok(
          typeof value === "number" && value > 0,
          `"flowControl.${name}" must be a positive number, but is ${value}`,
        );
      }
    },
  },
  {
    behaviour: "C8",
    name: "a bus carries 1,000 messages that are published at once",
    requires: "createBus",
    run: async (context) => {
      const { bus } = await connect(context, "here");
      const { received } = await connect(context, "there");
      const messages = Array.from({ length: 1_000 }, (_, at) => `${at}`);
      await context.within(
        Promise.all(messages.map((message) => publish(bus, message))),
        "1,000 calls of publish() to resolve",
      );
      await assertReceived(
        context,
        received,
        messages,
        "Messages that are published at once must arrive",
      );
    },
  },
  {
    behaviour: "C12",
    name: "a bus delivers messages of every length unchanged",
    requires: "createBus",
    run: async (context) => {
      const { bus } = await connect(context, "here");
      const { received } = await connect(context, "there");
      const maxLength = Math.min(bus.maxLength ?? MIB, MIB);
      const messages = [
        "\0 \r\n \u2028 \u{1f600} \" \\ ' {}",
        "0".repeat(Math.min(65_536, maxLength)),
        "0".repeat(maxLength),
        "\u{1f600}".repeat(maxLength / 4),
      ];
      for (const message of messages) {
        const bytes = new TextEncoder().encode(message).length;
        await rule(
          publish(bus, message),
          `A message of ${bytes} bytes must not be refused: set "maxLength" to ` +
            "the longest message that the broker carries, less what the bus adds",
        );
        await context.waitUntil(
          () => received.length > 0,
          `a message of ${bytes} bytes; "maxLength" must be the longest message ` +
            "that the bus delivers",
        );
        // A comparison that prints both would print megabytes.
        ok(
          received.pop() === message,
          `A message of ${bytes} bytes was changed in transit`,
        );
      }
      strictEqual(received.length, 0, "A message arrived twice");
    },
  },
  {
    behaviour: "C12",
    name: "a bus delivers the longest messages to nodes with the longest names",
    requires: "createBus",
    run: async (context) => {
      const { bus } = await connect(context, "here");
      const message = "0".repeat(Math.min(bus.maxLength ?? MIB, MIB));
      for (const start of ["x".repeat(254), "\u{1f600}".repeat(127)]) {
        // They differ in their last character.
        const names = [`${start}ab`, `${start}ac`];
        const endpoints: Endpoint[] = [];
        for (const name of names) endpoints.push(await connect(context, name));
        for (const [at, name] of names.entries()) {
          await publish(bus, `${at}`, name);
          await rule(
            publish(bus, message, name),
            'A message of "maxLength" bytes must not be refused if the name ' +
              "of its node has 256 characters: subtract what names need from " +
              '"maxLength"',
          );
        }
        for (const [at, { received }] of endpoints.entries()) {
          await context.waitUntil(
            () => received.length >= 2,
            "two messages to a node whose name has 256 characters",
          );
          deepStrictEqual(
            received.map((text) => text === message ? "longest" : text).sort(),
            [`${at}`, "longest"],
            "A bus must not shorten the names of nodes",
          );
        }
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
        await assertReceived(
          context,
          received,
          [`all from ${other}`, `one from ${other}`],
          "A bus must receive messages of its own cluster, and of no other",
        );
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
