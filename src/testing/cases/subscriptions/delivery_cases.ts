import { ok, strictEqual } from "node:assert/strict";
import { inBackground } from "../../support/timing.ts";
import type {
  JSONRPCNotification,
  SubscriptionFilter,
} from "../../../protocol/mcp_types.ts";
import type { SubscriptionCase } from "../../suites/behaviours.ts";
import {
  Gate,
  resourceUpdated,
  TestSubscriber,
  toolsChanged,
  turn,
} from "../../support/test_subscriber.ts";

const TOOLS = { toolsListChanged: true };

/** Who receives what, and when. */
export const subscriptionDeliveryCases: readonly SubscriptionCase[] = [
  {
    behaviour: "U1",
    name: "what is sent before the acknowledgement is delivered after it",
    run: async ({ create, within }) => {
      const manager = await create();
      const gate = new Gate();
      const slow = new TestSubscriber({ acknowledge: () => gate.promise });
      const created = inBackground(slow.subscribe(manager, 1, TOOLS));
      await within(slow.called("acknowledge"), "the acknowledgement");
      const sent = [
        inBackground(manager.send(toolsChanged("one"))),
        inBackground(manager.send(toolsChanged("two"))),
      ];
      await turn();
      await slow.got("acknowledge");
      gate.open();
      strictEqual(await within(created, "create"), true);
      await within(Promise.all(sent), "the sends");
      await within(manager.send(toolsChanged("three")), "send");
      await within(slow.called("three"), "the last notification");
      await slow.got("acknowledge", "one", "two", "three");
    },
  },
  {
    behaviour: "U2",
    name: "only notifications that match the filter are delivered",
    run: async ({ create, within }) => {
      const manager = await create();
      const uris = ["file:///a", "file:///a:b", "file:///*"];
      const filters: Record<string, SubscriptionFilter> = {
        tools: TOOLS,
        prompts: { promptsListChanged: true },
        resources: { resourcesListChanged: true },
        some: { resourceSubscriptions: [...uris] },
        nothing: {},
        refused: {
          toolsListChanged: false,
          promptsListChanged: "yes" as unknown as boolean,
          resourceSubscriptions: [],
        },
      };
      const subscribers = new Map<string, TestSubscriber>();
      for (const [id, filter] of Object.entries(filters)) {
        const subscriber = new TestSubscriber();
        subscribers.set(id, subscriber);
        await within(subscriber.subscribe(manager, id, filter), "create");
      }
      // The manager registered a copy.
      filters["nothing"]!.toolsListChanged = true;
      filters["some"]!.resourceSubscriptions!.push("file:///later");

      const notification = (method: string): JSONRPCNotification => ({
        jsonrpc: "2.0",
        method,
      });
      for (
        const message of [
          notification("notifications/tools/list_changed"),
          notification("notifications/prompts/list_changed"),
          notification("notifications/resources/list_changed"),
          notification("notifications/resources/updated"),
          notification("notifications/message"),
          notification("notifications/cancelled"),
          notification("constructor"),
          ...uris.map(resourceUpdated),
          resourceUpdated("file:///"),
          resourceUpdated("file:///a/b"),
          resourceUpdated("file:///A"),
          resourceUpdated("file:///later"),
          resourceUpdated(7 as unknown as string),
        ]
      ) await within(manager.send(message), "send");
      const expected: Record<string, string[]> = {
        tools: ["notifications/tools/list_changed"],
        prompts: ["notifications/prompts/list_changed"],
        resources: ["notifications/resources/list_changed"],
        some: uris,
      };
      // Those that get nothing are checked last, when all had their chance.
      for (const [id, subscriber] of subscribers) {
        await subscriber.got("acknowledge", ...expected[id] ?? []);
      }
    },
  },
  {
    behaviour: "U3",
    name: "IDs differ by type and origin, and a taken one is refused",
    run: async ({ create, within }) => {
      const manager = await create();
      const number = new TestSubscriber();
      const text = new TestSubscriber();
      const elsewhere = new TestSubscriber();
      const late = new TestSubscriber();
      strictEqual(await number.subscribe(manager, 1, TOOLS), true);
      strictEqual(await text.subscribe(manager, "1", TOOLS), true);
      strictEqual(await elsewhere.subscribe(manager, 1, TOOLS, "other"), true);
      strictEqual(await within(late.subscribe(manager, 1, TOOLS), "it"), false);
      await late.got();
      await manager.send(toolsChanged("to three"));
      strictEqual(
        await within(manager.close(1, "origin", "closed"), "it"),
        true,
      );
      await within(manager.send(toolsChanged("to two")), "send");
      await turn();
      await number.got("acknowledge", "to three", "close: closed");
      await text.got("acknowledge", "to three", "to two");
      await elsewhere.got("acknowledge", "to three", "to two");
      await late.got();
      // The ID of a closed subscription is free again.
      strictEqual(await late.subscribe(manager, 1, TOOLS), true);
    },
  },
  {
    behaviour: "U4",
    name: "a subscription gets notifications in the order of the calls",
    run: async ({ create, within }) => {
      const manager = await create();
      let underway = 0;
      let most = 0;
      const slow = new TestSubscriber({
        send: async ({ params }) => {
          most = Math.max(most, ++underway);
          if (params.name % 3 === 0) await turn();
          else if (params.name % 3 === 1) await undefined;
          underway--;
        },
      });
      const quick = new TestSubscriber();
      await slow.subscribe(manager, 1, TOOLS);
      await quick.subscribe(manager, 2, TOOLS);
      const names = Array.from({ length: 30 }, (_, index) => `${index}`);
      const sent: unknown[] = [];
      for (const name of names) {
        const sending = inBackground(manager.send(toolsChanged(name)));
        if (sent.length % 7 === 6) await sending;
        sent.push(sending);
      }
      await within(Promise.all(sent), "the sends");
      await within(slow.called("29"), "the last notification");
      await slow.got("acknowledge", ...names);
      await quick.got("acknowledge", ...names);
      strictEqual(most, 1, `${most} deliveries were under way at once`);
    },
  },
  {
    behaviour: "U5",
    name: "close waits for what was sent before it, then closes once",
    run: async ({ create, within }) => {
      const manager = await create();
      const slow = new TestSubscriber({ send: turn });
      await slow.subscribe(manager, 1, TOOLS);
      const sent = ["one", "two", "three"].map((name) =>
        inBackground(manager.send(toolsChanged(name)))
      );
      const closing = [
        inBackground(manager.close(1, "origin", "closed")),
        inBackground(manager.close(1, "origin", "cancelled")),
      ];
      ok((await within(Promise.all(closing), "closing"))[0]);
      await within(Promise.all(sent), "the sends");
      await slow.got("acknowledge", "one", "two", "three", "close: closed");
      for (
        const [id, origin] of [[1, "origin"], ["1", "origin"], [
          1,
          "else",
        ]] as const
      ) {
        strictEqual(
          await within(manager.close(id, origin, "closed"), "closing again"),
          false,
        );
      }
    },
  },
  {
    behaviour: "U5",
    name: "closeAll ends the subscriptions of one origin, or all",
    run: async ({ create, within }) => {
      const manager = await create();
      const [a1, a2, b1, c1] = [1, 2, 3, 4].map(() => new TestSubscriber());
      await a1!.subscribe(manager, 1, TOOLS, "a");
      await a2!.subscribe(manager, 2, TOOLS, "a");
      await b1!.subscribe(manager, 1, TOOLS, "b");
      await c1!.subscribe(manager, 1, TOOLS, "__proto__");
      await within(manager.closeAll("a", "closed"), "closeAll of an origin");
      await within(
        manager.closeAll("unknown"),
        "closeAll of an unknown origin",
      );
      await within(manager.send(toolsChanged("left")), "send");
      await within(manager.closeAll(), "closeAll");
      await within(manager.closeAll(), "closeAll again");
      await a1!.got("acknowledge", "close: closed");
      await a2!.got("acknowledge", "close: closed");
      await b1!.got("acknowledge", "left", "close: cancelled");
      await c1!.got("acknowledge", "left", "close: cancelled");
    },
  },
];
