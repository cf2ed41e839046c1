import { strictEqual } from "node:assert/strict";
import { assertThrowsOrRejects } from "../../support/assertions.ts";
import { inBackground } from "../../support/timing.ts";
import type { SubscriptionCase } from "../../suites/behaviours.ts";
import {
  Gate,
  TestSubscriber,
  toolsChanged,
  turn,
} from "../../support/test_subscriber.ts";

const TOOLS = { toolsListChanged: true };
const forever = () => new Promise<void>(() => {});

/** How one failing subscription affects itself and the others. */
export const subscriptionFailureCases: readonly SubscriptionCase[] = [
  {
    behaviour: "U6",
    name:
      "a send that never settles blocks neither close() nor other subscriptions",
    run: async ({ create, within }) => {
      const manager = await create({ closeTimeoutMs: 100 });
      const stuck = new TestSubscriber({ send: forever });
      const other = new TestSubscriber();
      await stuck.subscribe(manager, 1, TOOLS);
      await other.subscribe(manager, 2, TOOLS);
      await within(manager.send(toolsChanged("one")), "send");
      const two = inBackground(manager.send(toolsChanged("two")));
      await within(other.called("two"), "the other's delivery");
      strictEqual(
        await within(manager.close(1, "origin", "cancelled"), "close"),
        true,
      );
      await within(two, "send");
      await stuck.got("acknowledge", "one", "close: cancelled");
      await within(manager.send(toolsChanged("three")), "send");
      await other.got("acknowledge", "one", "two", "three");
      strictEqual(await manager.close(1, "origin", "closed"), false);
    },
  },
  {
    behaviour: "U6",
    name:
      "a close callback that never settles blocks neither close() nor closeAll()",
    run: async ({ create, within }) => {
      const manager = await create({ closeTimeoutMs: 100 });
      const stuck = new TestSubscriber({ close: forever });
      const alsoStuck = new TestSubscriber({ close: forever });
      const other = new TestSubscriber();
      await stuck.subscribe(manager, 1, TOOLS);
      await alsoStuck.subscribe(manager, 2, TOOLS);
      await other.subscribe(manager, 3, TOOLS);
      await within(manager.close(1, "origin", "closed"), "close");
      await within(manager.closeAll(), "closeAll");
      await stuck.got("acknowledge", "close: closed");
      await alsoStuck.got("acknowledge", "close: cancelled");
      await other.got("acknowledge", "close: cancelled");
      strictEqual(await other.subscribe(manager, 1, TOOLS), true);
    },
  },
  {
    behaviour: "U6",
    name:
      "an acknowledgement that never settles blocks neither close() nor closeAll()",
    run: async ({ create, within }) => {
      const manager = await create({ closeTimeoutMs: 100 });
      const stuck = new TestSubscriber({ acknowledge: forever });
      const other = new TestSubscriber();
      const created = inBackground(stuck.subscribe(manager, 1, TOOLS));
      await other.subscribe(manager, 2, TOOLS);
      await within(manager.send(toolsChanged("one")), "send");
      await other.got("acknowledge", "one");
      await within(manager.close(1, "origin", "cancelled"), "close");
      await stuck.got("acknowledge", "close: cancelled");
      await within(created, "create of what was closed meanwhile");
    },
  },
  {
    behaviour: "U7",
    name: "a subscription that throws is closed and removed",
    run: async ({ create, within }) => {
      const manager = await create();
      const broken = (send: () => void | Promise<void>) =>
        new TestSubscriber({
          send,
          close: () => {
            throw new Error("This stream cannot even be closed.");
          },
        });
      const inPlace = broken(() => {
        throw new Error("This stream is gone.");
      });
      const later = broken(async () => {
        await turn();
        throw new Error("This stream went while it was written to.");
      });
      const other = new TestSubscriber();
      await inPlace.subscribe(manager, 1, TOOLS);
      await later.subscribe(manager, 2, TOOLS);
      await other.subscribe(manager, 3, TOOLS);
      await within(manager.send(toolsChanged("one")), "send");
      await within(manager.send(toolsChanged("two")), "the next send");
      await within(later.called("close: cancelled"), "the close");
      await inPlace.got("acknowledge", "one", "close: cancelled");
      await later.got("acknowledge", "one", "close: cancelled");
      await other.got("acknowledge", "one", "two");
      strictEqual(await manager.close(1, "origin", "closed"), false);
      strictEqual(await other.subscribe(manager, 2, TOOLS), true);
    },
  },
  {
    behaviour: "U8",
    name: "a failing acknowledgement removes the subscription",
    run: async ({ create, within }) => {
      const manager = await create();
      class Refusal extends Error {
        override name = "Refusal";
      }
      const refusal = new Refusal("This client has gone already.");
      const inPlace = new TestSubscriber({
        acknowledge: () => {
          throw refusal;
        },
      });
      const gate = new Gate();
      const later = new TestSubscriber({
        acknowledge: async () => {
          await gate.promise;
          throw refusal;
        },
      });
      await assertThrowsOrRejects(
        () => within(inPlace.subscribe(manager, 1, TOOLS), "create"),
        "Refusal",
        "create with a failing acknowledgement",
      );
      const created = inBackground(later.subscribe(manager, 2, TOOLS));
      const sent = inBackground(manager.send(toolsChanged("buffered")));
      gate.open();
      await assertThrowsOrRejects(
        () => within(created, "create"),
        "Refusal",
        "create with an acknowledgement that fails later",
      );
      await within(sent, "send");
      await within(manager.send(toolsChanged("one")), "send");
      await turn();
      await inPlace.got("acknowledge");
      await later.got("acknowledge");
      const next = new TestSubscriber();
      strictEqual(await next.subscribe(manager, 1, TOOLS), true);
      strictEqual(await next.subscribe(manager, 2, TOOLS), true);
    },
  },
];
