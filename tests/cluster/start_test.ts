import type { MessageBus } from "@crossmcp/session-manager/cluster";
import { ClusterError } from "@crossmcp/session-manager";
import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { TestClient } from "../../src/testing/support/test_client.ts";
import { usingFakeTime } from "../support/streams.ts";
import { dataOf, stop, TestNode } from "./support/test_node.ts";
import { HEARTBEAT_MS, pass, settled } from "./support/timing.ts";

const ANSWER_MS = 200;
/**
 * The clock advances in steps, and a new node checks its peers now and then.
 */
const AT_MOST_MS = ANSWER_MS + 100;
const INITIALIZE = {
  method: "POST",
  body: '{"jsonrpc":"2.0","id":1,"method":"initialize"}',
};

describe("ClusterSessions: a bus that takes long to start", () => {
  it(
    "C4 a node is not alone before it could receive anything",
    usingFakeTime(async (time) => {
      const network = new LossyNetwork({ delayMs: [40, 40] });
      const cluster = { heartbeatMs: 400 };
      const first = new TestNode(network.bus(), { cluster });
      await settled(time, first.sessions.ready, "ready");
      await settled(time, first.sessions.info.setLogLevel("s", "alert"), "set");
      const bus = network.bus();
      const late = new TestNode({
        start: async (node, receive) => {
          await new Promise((resolve) =>
            setTimeout(resolve, 20 * HEARTBEAT_MS)
          );
          await bus.start(node, receive);
        },
        publish: (text, to) => bus.publish(text, to),
        close: () => bus.close(),
      }, { cluster });
      await settled(time, late.sessions.ready, "ready");
      assertEquals(late.sessions.nodes().length, 2);
      assertEquals(await late.sessions.info.getLogLevel("s"), "alert");
      await stop(time, [first, late]);
    }),
  );
});

describe("ClusterSessions: a bus that is down at the start", () => {
  it(
    "C10 a node that has found no other answers 503, not 404, until it has",
    usingFakeTime(async (time) => {
      const network = new LossyNetwork();
      const first = new TestNode(network.bus(), {});
      await settled(time, first.sessions.ready, "ready");
      const { id } = await settled(
        time,
        TestClient.begin(first.sessions),
        "begin",
      );
      const bus = network.bus();
      let isDown = true;
      const late = new TestNode({
        start: (node, receive) => bus.start(node, receive),
        publish: (text, to) =>
          isDown
            ? Promise.reject(new Error("It is down."))
            : bus.publish(text, to),
        close: () => bus.close(),
        get isDown() {
          return isDown;
        },
      }, { cluster: { requestTimeoutMs: ANSWER_MS } });
      const status = (session: string) =>
        settled(
          time,
          new TestClient(late.sessions, { id: session }).ping(),
          "ping",
        );
      let isReady = false;
      void late.sessions.ready.then(() => void (isReady = true));
      await pass(time, ANSWER_MS / 2);
      assertEquals(isReady, false);
      await pass(time, ANSWER_MS);
      assertEquals(isReady, true);
      assertEquals(await status(id), 503);
      // Sessions begin and end on this node as usual.
      const own = await settled(
        time,
        TestClient.begin(late.sessions),
        "begin",
      );
      assertEquals(await status(own.id), 200);
      await settled(time, own.end(), "end");
      assertEquals(await status(own.id), 404);
      isDown = false;
      await pass(time, 10 * HEARTBEAT_MS);
      assertEquals(await status(id), 200);
      assertEquals(await status("unknown"), 404);
      await stop(time, [first, late]);
    }),
  );

  it(
    "C10 a node that finds no other afterwards is alone",
    usingFakeTime(async (time) => {
      const bus = new LossyNetwork().bus();
      let isDown = true;
      const node = new TestNode({
        start: (name, receive) => bus.start(name, receive),
        publish: (text, to) => bus.publish(text, to),
        close: () => bus.close(),
        get isDown() {
          return isDown;
        },
      }, { cluster: { requestTimeoutMs: ANSWER_MS } });
      const status = () =>
        settled(
          time,
          new TestClient(node.sessions, { id: "unknown" }).ping(),
          "ping",
        );
      assertEquals(await status(), 503);
      isDown = false;
      await pass(time, ANSWER_MS / 2);
      assertEquals(await status(), 503);
      await pass(time, ANSWER_MS);
      assertEquals(await status(), 404);
      await stop(time, [node]);
    }),
  );
});

describe("ClusterSessions: a bus that never starts", () => {
  it(
    "C4 calls that ask other nodes resolve after requestTimeoutMs",
    usingFakeTime(async (time) => {
      const node = new TestNode(silentBus(), {
        cluster: { requestTimeoutMs: ANSWER_MS },
      });
      const { streams, info } = node.sessions;
      const asked = Promise.all([
        streams.has("s"),
        info.getSubscriptions("file:///a"),
        node.sessions.guard(new Request("http://localhost", INITIALIZE), begin),
      ]);
      const [has, subscribed, { status }] = await settled(
        time,
        asked,
        "answers",
        AT_MOST_MS,
      );
      assertEquals({ has, subscribed, status }, {
        has: false,
        subscribed: [],
        status: 200,
      });
      await settled(time, node.sessions.ready, "ready", 5);
      await stop(time, [node]);
    }),
  );

  it(
    "C4 the node works alone",
    usingFakeTime(async (time) => {
      const node = new TestNode(silentBus(), {
        cluster: { requestTimeoutMs: ANSWER_MS },
      });
      const { streams, info } = node.sessions;
      const { client, created } = node.open("s");
      await settled(time, created, "create", AT_MOST_MS);
      await settled(time, info.setLogLevel("s", "info"), "set", AT_MOST_MS);
      void streams.send(["s"], "data: one\n\n");
      void streams.send(undefined, "data: all\n\n");
      await pass(time, 20);
      assertEquals(dataOf(client), ["one", "all"]);
      assertEquals(await info.getLogLevel("s"), "info");
      await stop(time, [node]);
    }),
  );
});

/** The ways in which a bus can fail. */
const FAILURES: readonly (readonly [string, () => void | Promise<void>])[] = [
  ["throws", () => {
    throw new Error("Out of order.");
  }],
  ["rejects", () => Promise.reject(new Error("Out of order."))],
];

for (const [how, fail] of FAILURES) {
  describe(`ClusterSessions: a bus that ${how} at each publish`, () => {
    it(
      "C10 each outage is reported once, and the node works without the bus",
      usingFakeTime(async (time) => {
        let isBroken = true;
        let failed = 0;
        const node = new TestNode({
          start: () => {},
          publish: () => {
            if (!isBroken) return how === "throws" ? void 0 : Promise.resolve();
            failed++;
            return fail();
          },
          close: () => {},
        }, {});
        const { sessions, errors } = node;
        await settled(time, sessions.ready, "ready");
        const { client, created } = node.open("s");
        await settled(time, created, "create");
        const { streams } = sessions;
        for (let outage = 1; outage <= 2; outage++) {
          isBroken = true;
          failed = 0;
          await pass(time, 5 * HEARTBEAT_MS);
          void streams.send(["s"], `data: one ${outage}\n\n`);
          void streams.send(undefined, `data: all ${outage}\n\n`);
          await pass(time, HEARTBEAT_MS);
          assert(failed > 3, `It failed only ${failed} times.`);
          assertEquals(errors.length, outage);
          isBroken = false;
          await pass(time, 2 * HEARTBEAT_MS);
        }
        for (const error of errors) {
          assert(error instanceof ClusterError, `${error}`);
          assertEquals((error.cause as Error).message, "Out of order.");
        }
        assertEquals(dataOf(client), ["one 1", "all 1", "one 2", "all 2"]);
        await stop(time, [node]);
      }),
    );
  });
}

/** A bus that waits forever for its server. */
function silentBus(): MessageBus {
  return {
    start: () => new Promise<void>(() => {}),
    publish: () => {},
    close: () => {},
  };
}

function begin(): Response {
  return new Response("{}", { headers: { "mcp-session-id": "begun" } });
}
