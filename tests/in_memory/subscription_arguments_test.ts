import {
  InMemorySubscriptionManager,
  InvalidArgumentError,
} from "@crossmcp/session-manager";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { callbacks, TOOLS, toolsChanged } from "../support/subscriptions.ts";

describe("Arguments of InMemorySubscriptionManager", () => {
  it("rejects invalid arguments and keeps existing subscriptions", async () => {
    const manager = new InMemorySubscriptionManager();
    let received = 0;
    const counter = callbacks({ send: () => void received++ });
    await manager.create({ id: 1, origin: "o", filters: TOOLS }, counter);
    const good = { id: 2, origin: "o", filters: TOOLS };
    for (
      const [subscription, argument] of [
        [undefined, "subscription.id"],
        [{ ...good, id: {} }, "subscription.id"],
        [{ ...good, id: NaN }, "subscription.id"],
        [{ ...good, origin: undefined }, "subscription.origin"],
        [{ ...good, filters: null }, "subscription.filters"],
        [
          { ...good, filters: { resourceSubscriptions: "a" } },
          "subscription.filters.resourceSubscriptions",
        ],
        [
          { ...good, filters: { resourceSubscriptions: ["a", 7] } },
          "subscription.filters.resourceSubscriptions",
        ],
      ] as const
    ) {
      const error = await assertRejects(
        () => manager.create(subscription as never, counter),
        InvalidArgumentError,
      );
      assertEquals(error.argument, argument);
    }
    for (const name of ["acknowledge", "send", "close"] as const) {
      const error = await assertRejects(
        () => manager.create(good, { ...counter, [name]: undefined } as never),
        InvalidArgumentError,
      );
      assertEquals(error.argument, `callbacks.${name}`);
    }
    for (const notification of [undefined, null, {}, "x", { method: 7 }]) {
      await assertRejects(
        () => manager.send(notification as never),
        InvalidArgumentError,
      );
    }
    await manager.send(toolsChanged);
    assertEquals(received, 1);
  });

  it("rejects options that are out of range and names them", () => {
    for (const value of [0, -1, NaN, Infinity, 2 ** 31, "1", null]) {
      for (const option of ["closeTimeoutMs", "maxAgeMs"] as const) {
        const error = assertThrows(
          () => new InMemorySubscriptionManager({ [option]: value as number }),
          InvalidArgumentError,
          "milliseconds",
        );
        assertEquals(error.argument, option);
      }
    }
  });
});
