import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { SessionData } from "../../../contracts/session_data.ts";
import {
  assertNotFound,
  assertThrowsOrRejects,
} from "../../support/assertions.ts";
import type {
  InfoCase,
  TestableInfoSessionManager,
} from "../../suites/behaviours.ts";

const VALUES: readonly unknown[] = [
  { cart: ["caf\u00e9 \u{1F600}", { deep: [1, 2.5, null, true, "\0\n"] }] },
  [],
  "",
  "text",
  0,
  false,
  null,
];

/** Values of the user, one for each session. */
export const infoDataCases: readonly InfoCase[] = [
  {
    behaviour: "I11",
    name:
      "every JSON value is returned as it was set, and replaces the earlier one",
    run: async ({ create, within }) => {
      const manager = withData(await create());
      strictEqual(await within(manager.getData("a"), "getData"), undefined);
      await within(manager.setData("b", "other"), "setData");
      for (const value of VALUES) {
        await within(manager.setData("a", value), "setData");
        deepStrictEqual(await within(manager.getData("a"), "getData"), value);
      }
      await within(manager.setData("a", undefined), "setData");
      for (const id of ["a", "unknown", "", "no id\n", "__proto__"]) {
        strictEqual(await within(manager.getData(id), "getData"), undefined);
      }
      strictEqual(await within(manager.getData("b"), "getData"), "other");
    },
  },
  {
    behaviour: "I11",
    name: "changing a value or a result changes nothing that is stored",
    run: async ({ create, within }) => {
      const manager = withData(await create());
      const value = { list: [1] };
      await within(manager.setData("a", value), "setData");
      value.list.push(2);
      const result = await within(manager.getData("a"), "getData");
      deepStrictEqual(result, { list: [1] });
      (result as typeof value).list.push(3);
      deepStrictEqual(await within(manager.getData("a"), "getData"), {
        list: [1],
      });
    },
  },
  {
    behaviour: "I11",
    name:
      "a value that is no JSON or too large is refused, and the stored one stays",
    run: async ({ create, within }) => {
      const manager = withData(await create({ maxDataBytes: 100 }));
      const largest = "x".repeat(98);
      await within(manager.setData("a", largest), "setData");
      const circular: { self?: unknown } = {};
      circular.self = circular;
      const wrong = [() => {}, Symbol("s"), 1n, circular, `${largest}x`];
      // 100 bytes, but fewer characters.
      for (const value of [...wrong, "\u00e9".repeat(50)]) {
        await within(
          assertThrowsOrRejects(
            () => manager.setData("a", value),
            "InvalidArgumentError",
            "A value that cannot be stored",
          ),
          "setData",
        );
      }
      await within(
        assertThrowsOrRejects(
          () => manager.setData("no id\n", 1),
          "InvalidArgumentError",
          "An invalid session ID",
        ),
        "setData",
      );
      strictEqual(await within(manager.getData("a"), "getData"), largest);
    },
  },
  {
    behaviour: "I11",
    name: "delete removes the value of a session, and nothing else does",
    run: async ({ create, within }) => {
      const manager = withData(await create());
      for (const id of ["a", "b", "c"]) {
        await within(manager.setData(id, { id }), "setData");
      }
      await within(manager.setLogLevel("c", "info"), "setLogLevel");
      await within(manager.delete("a"), "delete");
      await within(manager.setLogLevel("c", undefined), "setLogLevel");
      strictEqual(await within(manager.getData("a"), "getData"), undefined);
      for (const id of ["b", "c"]) {
        deepStrictEqual(await within(manager.getData(id), "getData"), { id });
      }
      await within(manager.setData("b", undefined), "setData");
      await assertNotFound(
        () => within(manager.getClientInfo("b"), "getClientInfo"),
        "getClientInfo of a session without metadata",
      );
    },
  },
];

function withData(
  manager: TestableInfoSessionManager,
): TestableInfoSessionManager & SessionData {
  ok(
    manager.getData !== undefined && manager.setData !== undefined,
    "The manager has no getData and setData. If it need not have them, set " +
      "I11 to false in `supports`.",
  );
  return manager as TestableInfoSessionManager & SessionData;
}
