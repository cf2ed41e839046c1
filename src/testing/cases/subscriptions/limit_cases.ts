import { strictEqual } from "node:assert/strict";
import type { SubscriptionCase } from "../../suites/behaviours.ts";
import { assertRejects } from "../../support/assertions.ts";
import {
  resourceUpdated,
  TestSubscriber,
} from "../../support/test_subscriber.ts";

const TOOLS = { toolsListChanged: true };

/** What a client of `subscriptions/listen` may hold. */
export const subscriptionLimitCases: readonly SubscriptionCase[] = [
  {
    behaviour: "L4",
    name: "an origin has at most maxPerOrigin subscriptions",
    run: async ({ create, within }) => {
      const manager = await create({ maxPerOrigin: 3 });
      const subscribe = (id: number, origin?: string) =>
        new TestSubscriber().subscribe(manager, id, TOOLS, origin);
      const outcomes = await within(
        Promise.allSettled([1, 2, 3, 4, 5].map((id) => subscribe(id))),
        "five subscriptions",
      );
      const refused = outcomes.flatMap((outcome) =>
        outcome.status === "rejected" ? [outcome.reason] : []
      );
      strictEqual(refused.length, 2, `${5 - refused.length} of 5 were created`);
      for (const error of refused) {
        strictEqual(error.name, "LimitError");
        strictEqual(error.option, "subscriptions.maxPerOrigin");
        strictEqual(error.limit, 3);
      }
      strictEqual(await within(subscribe(1, "other"), "another origin"), true);
      const kept = outcomes.findIndex(({ status }) => status === "fulfilled");
      strictEqual(
        await within(manager.close(kept + 1, "origin", "cancelled"), "close"),
        true,
      );
      strictEqual(await within(subscribe(6), "one in its place"), true);
      await assertRejects(
        () => within(subscribe(7), "one more"),
        "LimitError",
        "One more",
      );
    },
  },
  {
    behaviour: "L4",
    name: "a subscription has at most maxUris",
    run: async ({ create, within }) => {
      const manager = await create({ maxUris: 3 });
      const subscribe = (id: number, ...resourceSubscriptions: string[]) =>
        within(
          new TestSubscriber().subscribe(manager, id, {
            resourceSubscriptions,
          }),
          "create",
        );
      strictEqual(await subscribe(1, "a", "b"), true);
      strictEqual(await subscribe(2, "a", "b", "c"), true);
      await assertRejects(
        () => subscribe(3, "a", "b", "c", "d"),
        "LimitError",
        "A fourth URI",
      );
      // Nothing is left of it.
      strictEqual(await subscribe(3, "a"), true);
    },
  },
  {
    behaviour: "L4",
    name: "a URI of a subscription has at most maxUriBytes",
    run: async ({ create, within }) => {
      const manager = await create({ maxUriBytes: 10 });
      const subscriber = new TestSubscriber();
      const subscribe = (id: number, uri: string) =>
        within(
          subscriber.subscribe(manager, id, {
            resourceSubscriptions: ["a", uri],
          }),
          "create",
        );
      strictEqual(await subscribe(1, "xxxxxxxxx"), true);
      strictEqual(await subscribe(2, "xxxxxxxx€".slice(1)), true);
      for (const long of ["xxxxxxxxxxx", "xxxxxxxx€"]) {
        await assertRejects(
          () => subscribe(3, long),
          "LimitError",
          "A longer URI",
        );
      }
      await within(manager.send(resourceUpdated("xxxxxxx€")), "send");
      await subscriber.got("acknowledge", "acknowledge", "xxxxxxx€");
    },
  },
];
