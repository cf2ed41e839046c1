import type { MessageBus } from "@crossmcp/session-manager/cluster";
import { ClusterError } from "@crossmcp/session-manager";
import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
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
