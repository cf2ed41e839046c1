import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  resourceUpdated,
  toolsChanged,
} from "../../src/testing/support/test_subscriber.ts";
import { until } from "../e2e/support/until.ts";
import {
  meet,
  PATIENCE_MS,
  withWorkers,
  type WorkerNode,
} from "./support/workers.ts";

type Three = [WorkerNode, WorkerNode, WorkerNode];

const TOOLS = { toolsListChanged: true };

describe("BroadcastChannelSessions: subscriptions", () => {
  it(
    "C15 a notification on any node reaches its subscribers on all nodes",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(3) as Three;
      for (const [at, { subscribers }] of nodes.entries()) {
        const uris = [`file:///${at}`, "file:///all"];
        await subscribers.subscribe(1, `tools-${at}`, TOOLS);
        await subscribers.subscribe("1", `resources-${at}`, {
          resourceSubscriptions: uris,
        });
      }
      for (const [from, { subscriptions }] of nodes.entries()) {
        await subscriptions.send(toolsChanged(`tools from ${from}`));
        await subscriptions.send(resourceUpdated(`file:///${(from + 1) % 3}`));
        await subscriptions.send(resourceUpdated("file:///nobody"));
      }
      for (const { subscriptions } of nodes) {
        await subscriptions.send(resourceUpdated("file:///all"));
        await subscriptions.send(toolsChanged("end"));
      }
      for (const [at, { subscribers }] of nodes.entries()) {
        // Three nodes send the last notification.
        const tools = await untilCount(
          () => subscribers.called(1, `tools-${at}`, "end"),
          7,
        );
        assertEquals(tools[0], "acknowledge");
        assertEquals(tools.slice(1).sort(), [
          "end",
          "end",
          "end",
          "tools from 0",
          "tools from 1",
          "tools from 2",
        ]);
        const resources = await untilCount(
          () => subscribers.called("1", `resources-${at}`, "file:///all"),
          5,
        );
        assertEquals(resources[0], "acknowledge");
        assertEquals(resources.slice(1).sort(), [
          `file:///${at}`,
          "file:///all",
          "file:///all",
          "file:///all",
        ]);
      }
    }),
  );

  it(
    "C15 a subscription gets the notifications of one node in order",
    withWorkers({}, async (workers) => {
      const [a, b, c] = await workers.start(3) as Three;
      await b.subscribers.subscribe(1, "b", TOOLS);
      await c.subscribers.subscribe(1, "c", TOOLS);
      const names = Array.from({ length: 500 }, (_, index) => `${index}`);
      await Promise.all(
        names.map((name) => a.subscriptions.send(toolsChanged(name))),
      );
      for (const [{ subscribers }, origin] of [[b, "b"], [c, "c"]] as const) {
        assertEquals(await subscribers.called(1, origin, "499"), [
          "acknowledge",
          ...names,
        ]);
      }
    }),
  );

  it(
    "C15 close() works from any node, after what was sent before",
    withWorkers({}, async (workers) => {
      const nodes = await workers.start(3) as Three;
      for (const [at, home] of nodes.entries()) {
        for (const [from, { subscriptions }] of nodes.entries()) {
          const origin = `${at}-${from}`;
          const { subscribers } = home;
          assertEquals(await subscribers.subscribe(7, origin, TOOLS), true);
          assertEquals(await subscribers.subscribe("7", origin, TOOLS), true);
          await subscriptions.send(toolsChanged("before"));
          assertEquals(await subscriptions.close(7, "x", "closed"), false);
          assertEquals(await subscriptions.close(7, origin, "closed"), true);
          assertEquals(await subscriptions.close(7, origin, "closed"), false);
          assertEquals(await subscribers.called(7, origin, "close: closed"), [
            "acknowledge",
            "before",
            "close: closed",
          ]);
          await subscriptions.send(toolsChanged("after"));
          await subscribers.called("7", origin, "after");
          assertEquals(
            await subscriptions.close("7", origin, "cancelled"),
            true,
          );
        }
      }
    }),
  );

  it(
    "C15 closeAll() ends the subscriptions of an origin, or all, on every node",
    withWorkers({}, async (workers) => {
      const [a, b, c] = await workers.start(3) as Three;
      for (const [id, { subscribers }] of [a, b, c].entries()) {
        await subscribers.subscribe(id, "shared", TOOLS);
        await subscribers.subscribe(id, "other", TOOLS);
      }
      await a.subscriptions.closeAll("shared", "closed");
      for (const [id, { subscribers }] of [a, b, c].entries()) {
        assertEquals(
          await subscribers.called(id, "shared", "close: closed"),
          ["acknowledge", "close: closed"],
        );
      }
      await b.subscriptions.send(toolsChanged("still there"));
      for (const [id, { subscribers }] of [a, b, c].entries()) {
        await subscribers.called(id, "other", "still there");
      }
      await c.subscriptions.closeAll();
      for (const [id, { subscribers }] of [a, b, c].entries()) {
        assertEquals(
          await subscribers.called(id, "other", "close: cancelled"),
          ["acknowledge", "still there", "close: cancelled"],
        );
      }
    }),
  );

  it(
    "C15 an ID that is taken in an origin is taken on every node",
    withWorkers({ cluster: { heartbeatMs: 200 } }, async (workers) => {
      const nodes = await workers.start(3) as Three;
      const [a, b, c] = nodes;
      assertEquals(await c.subscribers.subscribe(1, "o", TOOLS), true);
      assertEquals(await a.subscribers.subscribe(1, "o", TOOLS), false);
      assertEquals(await a.subscribers.subscribe("1", "o", TOOLS), true);
      assertEquals(await a.subscribers.subscribe(1, "p", TOOLS), true);
      for (let round = 0; round < 30; round++) {
        const created = await Promise.all(
          nodes.map(({ subscribers }) =>
            subscribers.subscribe(round, "at once", TOOLS)
          ),
        );
        const { length } = created.filter((isNew) => isNew);
        assertEquals(length, 1, `round ${round}: ${created}`);
      }
      assertEquals(await b.subscriptions.close(1, "o", "closed"), true);
      assertEquals(await b.subscribers.subscribe(1, "o", TOOLS), true);
      // An ID that a dead node had is free again.
      await c.subscribers.subscribe(2, "o", TOOLS);
      await c.kill();
      await meet([a, b]);
      assertEquals(await a.subscribers.subscribe(2, "o", TOOLS), true);
    }),
  );
});

/** Repeats a call until its result has the expected length. */
async function untilCount(
  ask: () => Promise<string[]>,
  count: number,
): Promise<string[]> {
  let answer: string[] = [];
  await until(
    async () => (answer = await ask()).length >= count,
    `${count} calls`,
    PATIENCE_MS,
  );
  return answer;
}
