// The type check is part of the test: what the SDK sends must be accepted.
import {
  InMemorySessions,
  InvalidArgumentError,
  type ServerNotification,
  type ServerNotifications,
} from "@crossmcp/session-manager";
import type { ServerNotification as SdkNotification } from "@modelcontextprotocol/sdk/types.js";
import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { checkNotification } from "../../src/protocol/notifications.ts";

/** Fails the type check if the value is not assignable to `To`. */
function assignable<To>(value: To): To {
  return value;
}

/** Exactly the methods of the SDK. */
type Methods = SdkNotification["method"];
assignable<(method: Methods) => keyof ServerNotifications>((method) => method);
assignable<(method: keyof ServerNotifications) => Methods>((method) => method);

describe("Notifications", () => {
  it("O1 the types know the parameters of the specification", async () => {
    await using sessions = new InMemorySessions();
    await sessions.notify({ method: "notifications/tools/list_changed" });
    await sessions.notify({
      method: "notifications/message",
      params: { level: "info", data: { any: "value" } },
    });
    await sessions.notify({ method: "acme/note", params: { any: "value" } });
    const anyMethod: { jsonrpc: "2.0"; method: string } = {
      jsonrpc: "2.0",
      method: "acme/note",
    };
    await sessions.notify(anyMethod);
    const invalid = [
      // @ts-expect-error Parameters are missing.
      () => sessions.notify({ method: "notifications/resources/updated" }),
      () =>
        sessions.notify({
          method: "notifications/message",
          // @ts-expect-error There is no such level.
          params: { level: "loud", data: 1 },
        }),
      // @ts-expect-error Neither sessions nor a principal.
      () => sessions.notify({ method: "acme/note" }, {}),
    ];
    for (const notify of invalid) {
      await assertRejects(notify, InvalidArgumentError);
    }
  });

  it("O1 a notification is copied, without fields that do not belong to it", () => {
    const params = { list: ["a"] };
    const given = { method: "acme/note", params, extra: 1 };
    const { notification, text } = checkNotification(given);
    params.list.push("b");
    const expected = {
      jsonrpc: "2.0",
      method: "acme/note",
      params: { list: ["a"] },
    };
    assertEquals<unknown>(notification, expected);
    assertEquals(JSON.parse(text), expected);
  });

  it("O1 an error names the field, and what it should be", () => {
    const messageOf = (value: unknown) => {
      try {
        checkNotification(value);
      } catch (error) {
        const { argument, message } = error as InvalidArgumentError;
        return [argument, message];
      }
    };
    assertEquals(
      [
        "event: message\n\n",
        { method: "ping", id: 1 },
        { method: "tools/list_changed" },
        { method: "message", params: { level: "info", data: 1 } },
        { method: "notifications/resources/updated", params: { url: "a" } },
        { method: "notifications/progress", params: { progressToken: 1 } },
      ].map(messageOf),
      [
        [
          "notification",
          '"notification" must be an object, but got "event: message\\n\\n".',
        ],
        [
          "notification.id",
          'A notification has no "id", but this one has 1. With an ID it ' +
          "would be a request, whose response belongs to the transport of " +
          "its session.",
        ],
        [
          "notification.method",
          '"notification.method" must be "notifications/tools/list_changed", ' +
          'but got "tools/list_changed".',
        ],
        [
          "notification.method",
          '"notification.method" must be "notifications/message", but got ' +
          '"message".',
        ],
        [
          "notification.params.uri",
          '"notification.params.uri" must be a string, but got undefined.',
        ],
        [
          "notification.params.progress",
          '"notification.params.progress" must be a finite number, but got ' +
          "undefined.",
        ],
      ],
    );
  });
});

// A notification of the SDK can be passed on.
assignable<(notification: SdkNotification) => ServerNotification>(
  (notification) => notification,
);
