import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { assertNotFound } from "../../support/assertions.ts";
import { getters } from "./values_cases.ts";
import type { InfoCase } from "../../suites/behaviours.ts";

/** Which session subscribed to which resource. */
export const infoSubscriptionCases: readonly InfoCase[] = [
  {
    behaviour: "I5",
    name: "sessions subscribe and unsubscribe, many to many",
    run: async ({ create }) => {
      const manager = await create();
      const of = async (uri: string) =>
        (await manager.getSubscriptions(uri)).sort();
      await manager.addSubscription("a", "file:///1");
      await manager.addSubscription("a", "file:///1");
      await manager.addSubscription("a", "file:///2");
      await manager.addSubscription("b", "file:///1");
      deepStrictEqual(await of("file:///1"), ["a", "b"]);
      deepStrictEqual(await of("file:///2"), ["a"]);
      deepStrictEqual(await of("file:///3"), []);
      // Unknown pairs: unknown session, unknown URI, or both.
      await manager.removeSubscription("b", "file:///2");
      await manager.removeSubscription("c", "file:///1");
      await manager.removeSubscription("c", "file:///3");
      deepStrictEqual(await of("file:///1"), ["a", "b"]);
      // Subscribing twice is like once: one removal is enough.
      await manager.removeSubscription("a", "file:///1");
      deepStrictEqual(await of("file:///1"), ["b"]);
      deepStrictEqual(await of("file:///2"), ["a"]);
      await manager.removeSubscription("a", "file:///1");
      await manager.addSubscription("a", "file:///1");
      deepStrictEqual(await of("file:///1"), ["a", "b"]);
    },
  },
  {
    behaviour: "I6",
    name: "unusual URIs and session IDs never collide",
    run: async ({ create }) => {
      const manager = await create();
      const parts = [
        "a",
        "a:",
        "a:b",
        "a:b:c",
        "a*",
        "*",
        "a%3Ab",
        "a%",
        "a'b",
        'a"b',
        "a?b",
        "a[bc]",
        "a{b}",
        "a\\b",
        "A",
        "a/",
        "a//",
      ];
      const uris = [
        ...parts,
        "",
        "a b",
        " a",
        "a\n",
        "a\0b",
        "\u{1F600}",
        "\u00e9",
      ];
      const pairs = parts.flatMap((id, i) =>
        uris.filter((_, j) => (i + j) % 3 === 0).map((uri) =>
          [id, uri] as const
        )
      );
      for (const [id, uri] of pairs) await manager.addSubscription(id, uri);
      for (const uri of uris) {
        deepStrictEqual(
          (await manager.getSubscriptions(uri)).sort(),
          pairs.filter((pair) => pair[1] === uri).map(([id]) => id).sort(),
          `subscribers of ${JSON.stringify(uri)}`,
        );
      }
      for (const id of parts) {
        await manager.setClientInfo(id, { name: id, version: "1" });
      }
      await manager.delete("a");
      await manager.delete("*");
      const left = parts.filter((id) => id !== "a" && id !== "*");
      for (const id of left) {
        strictEqual((await manager.getClientInfo(id))?.name, id);
      }
      for (const uri of uris) {
        deepStrictEqual(
          (await manager.getSubscriptions(uri)).sort(),
          pairs.filter(([id, of]) => of === uri && left.includes(id))
            .map(([id]) => id).sort(),
          `subscribers of ${JSON.stringify(uri)} after two sessions went`,
        );
      }
    },
  },
  {
    behaviour: "I7",
    name: "delete removes everything of a session and nothing of others",
    run: async ({ create }) => {
      const manager = await create();
      for (const id of ["a", "b"]) {
        await manager.setClientInfo(id, { name: id, version: "1" });
        await manager.setClientCapabilities(id, { roots: {} });
        await manager.setLogLevel(id, "error");
        await manager.addSubscription(id, "file:///shared");
        await manager.addSubscription(id, `file:///${id}`);
      }
      await manager.delete("a");
      await manager.delete("a");
      await manager.delete("never there");
      for (const [getter, get] of getters(manager)) {
        await assertNotFound(() => get("a"), getter);
        await get("b");
      }
      deepStrictEqual(await manager.getSubscriptions("file:///shared"), ["b"]);
      deepStrictEqual(await manager.getSubscriptions("file:///a"), []);
      deepStrictEqual(await manager.getSubscriptions("file:///b"), ["b"]);
      // The same ID may come back, and starts empty.
      await manager.setLogLevel("a", "info");
      await assertNotFound(
        () => manager.getClientInfo("a"),
        "getClientInfo of a session that came back",
      );
      deepStrictEqual(await manager.getSubscriptions("file:///shared"), ["b"]);
    },
  },
];
