import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  type ClusterCase,
  forEachNode,
} from "../../support/cluster_context.ts";
import {
  resourceUpdated,
  TestSubscriber,
  toolsChanged,
} from "../../support/test_subscriber.ts";

const TOOLS = { toolsListChanged: true };

/** Subscriptions on several nodes. */
export const clusterSubscriptionCases: readonly ClusterCase[] = [
  {
    behaviour: "C15",
    name: "a notification reaches the matching subscriptions on every node",
    run: async ({ addNodes, waitUntil }) => {
      const nodes = await addNodes(3);
      const tools = await forEachNode(nodes, async ({ subscriptions }, at) => {
        const subscriber = new TestSubscriber();
        await subscriber.subscribe(subscriptions, at, TOOLS);
        return subscriber;
      });
      const resources = await forEachNode(
        nodes,
        async ({ subscriptions }, at) => {
          const subscriber = new TestSubscriber();
          const filter = { resourceSubscriptions: [`file:///${at}`] };
          await subscriber.subscribe(subscriptions, `r${at}`, filter);
          return subscriber;
        },
      );
      for (const [at, { subscriptions }] of nodes.entries()) {
        for (const count of [1, 2, 3]) {
          await subscriptions.send(toolsChanged(`${at} ${count}`));
        }
        await subscriptions.send(resourceUpdated(`file:///${(at + 1) % 3}`));
      }
      await waitUntil(() =>
        tools.every(({ calls }) => calls.length >= 10) &&
        resources.every(({ calls }) => calls.length >= 2), "all notifications");
      for (const { calls } of tools) {
        for (const at of nodes.keys()) {
          deepStrictEqual(
            calls.filter((call) => call.startsWith(`${at} `)),
            [1, 2, 3].map((count) => `${at} ${count}`),
          );
        }
        strictEqual(calls.length, 10, calls.join());
      }
      for (const [at, { calls }] of resources.entries()) {
        deepStrictEqual(calls, ["acknowledge", `file:///${at}`]);
      }
    },
  },
  {
    behaviour: "C15",
    name: "a subscription can be closed on any node",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(3);
      const manager = (at: number) => nodes[at % 3]!.subscriptions;
      const subscribe = async (
        at: number,
        id: string | number,
        origin = "one",
      ) => {
        const subscriber = new TestSubscriber();
        strictEqual(
          await subscriber.subscribe(manager(at), id, TOOLS, origin),
          true,
        );
        return subscriber;
      };
      for (const at of nodes.keys()) {
        const [number, text, other] = [
          await subscribe(at, 1),
          await subscribe(at, "1"),
          await subscribe(at, 1, "two"),
        ];
        const close = (id: string | number) =>
          within(
            manager(at + 1).close(id, "one", "closed"),
            "close() to resolve",
          );
        strictEqual(await close(1), true);
        strictEqual(await close(1), false);
        await number.got("acknowledge", "close: closed");
        const elsewhere = await subscribe(at + 1, 2);
        await within(manager(at + 2).closeAll("one"), "closeAll() to resolve");
        await text.got("acknowledge", "close: cancelled");
        await elsewhere.got("acknowledge", "close: cancelled");
        strictEqual(await close("1"), false);
        await other.got("acknowledge");
        await within(manager(at + 1).closeAll(), "closeAll() to resolve");
        await other.got("acknowledge", "close: cancelled");
      }
    },
  },
  {
    behaviour: "C15",
    name:
      "a subscription ID is unique in the cluster, also when created concurrently",
    run: async ({ addNodes, within }) => {
      const nodes = await addNodes(2);
      const [here, there] = nodes.map(({ subscriptions }) => subscriptions);
      const subscribe = (manager = here!, id: number) =>
        new TestSubscriber().subscribe(manager, id, TOOLS);
      strictEqual(await subscribe(here, 0), true);
      strictEqual(await subscribe(there, 0), false);
      for (let id = 1; id <= 10; id++) {
        const taken = await within(
          Promise.all([subscribe(here, id), subscribe(there, id)]),
          "two concurrent subscriptions",
        );
        deepStrictEqual(taken.sort(), [false, true], `Subscription ${id}`);
        await there!.close(id, "origin", "closed");
        strictEqual(await subscribe(here, id), true);
      }
    },
  },
];
