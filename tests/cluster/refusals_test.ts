import { ClusterError } from "@crossmcp/session-manager";
import type { MessageBus } from "@crossmcp/session-manager/cluster";
import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "node:test";
import { seededRandom } from "../../src/testing/support/seeded_random.ts";
import { usingFakeTime } from "../support/streams.ts";
import { parseSse } from "../support/sse_parser.ts";
import { dataOf, stop, TestNode } from "./support/test_node.ts";
import { MEMORY_MS, pass, settled } from "./support/timing.ts";

const LIMIT = 20_000;
const LONG = "x".repeat(LIMIT);
const REFUSED = new RangeError("The message is too long.");

/** How a bus refuses a message. */
const WAYS: Record<string, () => void | Promise<void>> = {
  "throws": () => {
    throw REFUSED;
  },
  "rejects": () => Promise.reject(REFUSED),
};

for (const [way, refuse] of Object.entries(WAYS)) {
  describe(`ClusterSessions: a bus that ${way}`, () => {
    it(
      "C19 a packet that it always refuses is given up, and nothing waits behind it",
      usingFakeTime(async (time) => {
        const resets: string[] = [];
        const { network, nodes: [a, b, c] } = nodesOn((bus) => ({
          publish: (text, to) =>
            text.length > LIMIT ? refuse() : bus.publish(text, to),
        }), resets);
        await settled(time, ready([a, b, c]), "ready");
        const long = b.open("long");
        const other = b.open("other");
        const third = c.open("third");
        for (const { created } of [long, other, third]) {
          await settled(time, created, "create");
        }
        const { published } = network.stats();
        const sent = a.sessions.streams.send(["long"], `data: ${LONG}\n\n`);
        void a.sessions.streams.send(["long"], "data: short\n\n");
        void a.sessions.streams.send(["other"], "data: other\n\n");
        void a.sessions.streams.send(["third"], "data: third\n\n");
        await settled(time, sent, "send");
        await pass(time, 20);
        assertEquals(dataOf(third.client), ["third"]);
        await pass(time, 480);
        assertEquals(
          parseSse(long.client.text).events.map(
            ({ event, data }) => `${event}: ${data}`,
          ),
          ['reset: {"reason":"purged"}', "message: short"],
        );
        assertEquals(dataOf(other.client), ["other"]);
        assertEquals(resets, ["long purged"]);
        const [error, ...others] = a.errors;
        assertEquals(others, []);
        assertInstanceOf(error, ClusterError);
        assertEquals(error.cause, REFUSED);
        assertEquals(error.node, "b");
        assert(error.message.includes(`to "b"`), error.message);
        assert(/packet of 20,\d\d\d bytes/.test(error.message), error.message);
        assertEquals(a.sessions.stats().cluster.lost, 1);
        assert(a.sessions.stats().cluster.resent < 10);
        // Nothing is sent over and over: an idle cluster sends as much.
        const later = network.stats().published;
        await pass(time, 500);
        const idle = network.stats().published - later;
        assert(later - published < idle + 50, `${later - published} ${idle}`);
        await pass(time, 2 * MEMORY_MS);
        assertEquals(a.errors.length + b.errors.length, 1);
        assertEquals(a.sessions.nodes().length, 3);
        await stop(time, [a, b, c]);
      }),
    );

    it(
      "C19 a broadcast that it always refuses resets the streams of other nodes",
      usingFakeTime(async (time) => {
        const resets: string[] = [];
        const { nodes: [a, b, c] } = nodesOn(
          (bus) => ({
            publish: (text, to) =>
              text.length > LIMIT ? refuse() : bus.publish(text, to),
          }),
          resets,
          { replay: {} },
        );
        await settled(time, ready([a, b, c]), "ready");
        const opened = [a, b, c].map((node, at) => node.open(`s${at}`));
        for (const { created } of opened) {
          await settled(time, created, "create");
        }
        void a.sessions.streams.send(undefined, `data: ${LONG}\n\n`);
        await pass(time, 500);
        void a.sessions.streams.send(undefined, "data: short\n\n");
        await pass(time, 50);
        const texts = opened.map(({ client }) => dataOf(client));
        assertEquals(texts[0], [LONG, "short"]);
        const reset = '{"reason":"purged"}';
        assertEquals(texts.slice(1), [[reset, "short"], [reset, "short"]]);
        assertEquals(resets.sort(), ["s1 purged", "s2 purged"]);
        assertEquals(a.errors.length, 1);
        // A client that reconnects elsewhere gets the rest, and no second reset.
        const { lastEventId } = parseSse(opened[1]!.client.text);
        void opened[1]!.client.cancel();
        await pass(time, 10);
        void c.sessions.streams.send(undefined, "data: missed\n\n");
        await pass(time, 50);
        const again = c.open("s1", { expect: { lastEventId } });
        await settled(time, again.created, "create");
        await pass(time, 50);
        assertEquals(dataOf(again.client), ["missed"]);
        await stop(time, [a, b, c]);
      }),
    );

    it(
      "C10 nothing is given up while it refuses everything",
      usingFakeTime(async (time) => {
        let isBroken = false;
        const { nodes: [a, b, c] } = nodesOn((bus) => ({
          publish: (text, to) => isBroken ? refuse() : bus.publish(text, to),
        }));
        await settled(time, ready([a, b, c]), "ready");
        const { client, created } = b.open("s");
        await settled(time, created, "create");
        const expected: string[] = [];
        for (let outage = 0; outage < 3; outage++) {
          isBroken = true;
          for (let count = 0; count < 40; count++) {
            const text = `${outage} ${count}`;
            void a.sessions.streams.send(["s"], `data: ${text}\n\n`);
            expected.push(text);
            await pass(time, 5);
          }
          isBroken = false;
          await pass(time, 300);
        }
        assertEquals(dataOf(client), expected);
        assertEquals(a.sessions.stats().cluster.lost, 0);
        // Each outage is reported once.
        assertEquals(a.errors.length, 3);
        await stop(time, [a, b, c]);
      }),
    );

    it(
      "C10 nothing is given up if it refuses a third of all messages",
      usingFakeTime(async (time) => {
        const random = seededRandom(1);
        const { nodes: [a, b, c] } = nodesOn((bus) => ({
          publish: (text, to) =>
            random() < 1 / 3 ? refuse() : bus.publish(text, to),
        }));
        await settled(time, ready([a, b, c]), "ready");
        const { client, created } = b.open("s");
        await settled(time, created, "create");
        const expected = Array.from({ length: 200 }, (_, at) => `${at}`);
        for (const text of expected) {
          void a.sessions.streams.send(["s"], `data: ${text}\n\n`);
          await pass(time, 5);
        }
        await pass(time, 1_000);
        assertEquals(dataOf(client), expected);
        assertEquals(a.sessions.stats().cluster.lost, 0);
        await stop(time, [a, b, c]);
      }),
    );

    it(
      "C12 fragments that it always refuses are given up like other packets",
      usingFakeTime(async (time) => {
        const { nodes: [a, b, c] } = nodesOn((bus) => ({
          maxLength: 4_096,
          publish: (text, to) =>
            text.length > 4_000 ? refuse() : bus.publish(text, to),
        }));
        await settled(time, ready([a, b, c]), "ready");
        const { client, created } = b.open("s");
        await settled(time, created, "create");
        void a.sessions.streams.send(["s"], `data: ${LONG}\n\n`);
        void a.sessions.streams.send(["s"], "data: short\n\n");
        await pass(time, 1_000);
        assertEquals(dataOf(client), ['{"reason":"purged"}', "short"]);
        assertEquals(a.errors.length, 1);
        await stop(time, [a, b, c]);
      }),
    );
  });
}

describe("ClusterSessions: a packet that is too long for fragments", () => {
  it(
    "C19 is given up at once",
    usingFakeTime(async (time) => {
      const { nodes: [a, b, c] } = nodesOn(() => ({ maxLength: 65_536 }));
      await settled(time, ready([a, b, c]), "ready");
      const { client, created } = b.open("s");
      await settled(time, created, "create");
      const long = `data: ${"x".repeat(2 ** 26)}\n\n`;
      void a.sessions.streams.send(["s"], long);
      void a.sessions.streams.send(["s"], "data: short\n\n");
      await pass(time, 200);
      assertEquals(dataOf(client), ['{"reason":"purged"}', "short"]);
      assertEquals(a.sessions.stats().cluster.lost, 1);
      assert(a.errors[0]!.message.includes("67,1"), a.errors[0]!.message);
      await stop(time, [a, b, c]);
    }),
  );
});

type Three = [TestNode, TestNode, TestNode];

/** Nodes "a", "b" and "c" on buses with some methods replaced. */
function nodesOn(
  replace: (bus: MessageBus) => Partial<MessageBus>,
  resets: string[] = [],
  streams: { replay?: Record<never, never> } = {},
): { network: LossyNetwork; nodes: Three } {
  const network = new LossyNetwork();
  const nodes = ["a", "b", "c"].map((node) => {
    const bus = network.bus();
    return new TestNode({
      start: (node, receive) => bus.start(node, receive),
      publish: (text, to) => bus.publish(text, to),
      close: () => bus.close(),
      ...replace(bus),
    }, {
      cluster: { node },
      streams,
      onReset: (id, reason) => resets.push(`${id} ${reason}`),
    });
  });
  return { network, nodes: nodes as Three };
}

function ready(nodes: readonly TestNode[]): Promise<unknown> {
  return Promise.all(nodes.map(({ sessions }) => sessions.ready));
}
