import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { InfoSessionManager } from "../../../contracts/info_session_manager.ts";
import type { InfoCase } from "../../suites/behaviours.ts";
import {
  assertNotFound,
  assertRejects,
  assertThrowsOrRejects,
} from "../../support/assertions.ts";

const MAX = 20;

/** What a session may store. Each limit is met just below, at, and above it. */
export const infoLimitCases: readonly InfoCase[] = [
  {
    behaviour: "L2",
    name: "a session has at most maxSubscriptionsPerSession subscriptions",
    run: async ({ create, within }) => {
      const manager = await create({ maxSubscriptionsPerSession: 3 });
      const add = async (id: string, uri: string) =>
        await manager.addSubscription(id, uri);
      const of = async (uri: string) =>
        (await within(manager.getSubscriptions(uri), "subscribers")).sort();
      const outcomes = await within(
        Promise.allSettled(["1", "2", "3", "4", "5"].map((n) => add("a", n))),
        "five subscriptions",
      );
      const refused = outcomes.flatMap((outcome) =>
        outcome.status === "rejected" ? [outcome.reason] : []
      );
      strictEqual(refused.length, 2, `${5 - refused.length} of 5 were stored`);
      for (const error of refused) {
        strictEqual(error.name, "LimitError");
        strictEqual(error.option, "info.maxSubscriptionsPerSession");
        strictEqual(error.limit, 3);
      }
      const kept = ["1", "2", "3", "4", "5"].filter((_, index) =>
        outcomes[index]!.status === "fulfilled"
      );
      // One that exists takes no more, and other sessions are not affected.
      await within(add("a", kept[0]!), "a repeated subscription");
      await within(add("b", "4"), "a subscription of another session");
      await within(manager.setLogLevel("a", "info"), "another write");
      // One that ends makes room.
      await within(manager.removeSubscription("a", kept[0]!), "its end");
      await within(add("a", "6"), "a subscription in its place");
      deepStrictEqual(await of("6"), ["a"]);
      deepStrictEqual(await of(kept[0]!), kept[0] === "4" ? ["b"] : []);
      await within(
        assertRejects(() => add("a", "7"), "LimitError", "One more"),
        "one more",
      );
      deepStrictEqual(await of("7"), []);
      // So does the end of the session.
      await within(manager.delete("a"), "delete");
      for (const uri of ["8", "9", "10"]) await within(add("a", uri), uri);
      deepStrictEqual(await of("10"), ["a"]);
    },
  },
  {
    behaviour: "L2",
    name: "the URI of a subscription has at most maxUriBytes",
    run: async ({ create, within }) => {
      const manager = await create({ maxUriBytes: MAX });
      // The second one has characters of two, three and four bytes.
      for (const end of ["12345", "é€😀"]) {
        const start = "x".repeat(MAX - new TextEncoder().encode(end).length);
        for (const uri of [start.slice(1) + end, start + end]) {
          await within(manager.addSubscription("a", uri), "a short URI");
          deepStrictEqual(
            await within(manager.getSubscriptions(uri), "subscribers"),
            ["a"],
          );
        }
        const long = `${start}x${end}`;
        await assertLimit(
          () => manager.addSubscription("a", long),
          "info.maxUriBytes",
          MAX,
        );
        deepStrictEqual(
          await within(manager.getSubscriptions(long), "subscribers"),
          [],
        );
      }
    },
  },
  {
    behaviour: "L3",
    name: "client info has at most maxClientInfoBytes",
    run: async ({ create, within }) => {
      const max = 100;
      const manager = await create({ maxClientInfoBytes: max });
      await testLength(max, "info.maxClientInfoBytes", {
        valueOf: (name) => ({ name, version: "1" }),
        set: (id, value) => within(manager.setClientInfo(id, value), "set"),
        get: (id) => within(manager.getClientInfo(id), "get"),
      });
      // Capabilities have their own limit.
      const experimental = { a: { text: "x".repeat(max) } };
      await within(
        manager.setClientCapabilities("a", { experimental }),
        "capabilities",
      );
    },
  },
  {
    behaviour: "L3",
    name: "client capabilities have at most maxCapabilitiesBytes",
    run: async ({ create, within }) => {
      const max = 100;
      const manager = await create({ maxCapabilitiesBytes: max });
      await testLength(max, "info.maxCapabilitiesBytes", {
        valueOf: (text) => ({ experimental: { a: { text } } }),
        set: (id, value) =>
          within(manager.setClientCapabilities(id, value), "set"),
        get: (id) => within(manager.getClientCapabilities(id), "get"),
      });
    },
  },
];

interface LimitedValue<Value> {
  readonly valueOf: (text: string) => Value;
  readonly set: (id: string, value: Value) => Promise<void>;
  readonly get: (id: string) => Promise<unknown>;
}

/** Sets values just below, at, and above a limit of their JSON. */
async function testLength<Value>(
  max: number,
  option: string,
  { valueOf, set, get }: LimitedValue<Value>,
): Promise<void> {
  const room = max - JSON.stringify(valueOf("")).length;
  for (const character of ["x", "é"]) {
    const bytes = new TextEncoder().encode(character).length;
    // The rest is filled with single bytes.
    const text = character.repeat(Math.floor(room / bytes));
    const full = text + "x".repeat(room % bytes);
    const id = `session-${bytes}`;
    await assertLimit(() => set(id, valueOf(`${full}x`)), option, max);
    await assertNotFound(() => get(id), "A refused value");
    for (const fits of [full.slice(0, -1), full]) {
      await set(id, valueOf(fits));
      deepStrictEqual(await get(id), valueOf(fits));
    }
    // A refused value leaves the earlier one.
    await assertLimit(() => set(id, valueOf(`${full}x`)), option, max);
    deepStrictEqual(await get(id), valueOf(full));
  }
}

/** Expects that a write is refused because of a limit. */
async function assertLimit(
  write: () => ReturnType<InfoSessionManager["delete"]>,
  option: string,
  limit: number,
): Promise<void> {
  const error = await assertThrowsOrRejects(
    write,
    "LimitError",
    "A value above the limit",
  );
  ok(error instanceof Error);
  const refusal = error as { option?: unknown; limit?: unknown };
  deepStrictEqual([refusal.option, refusal.limit], [option, limit]);
}
