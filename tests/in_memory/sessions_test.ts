import {
  ClosedError,
  DeliveryError,
  InMemorySessions,
  InvalidArgumentError,
  SessionLimitError,
} from "@crossmcp/session-manager";
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { describe, it } from "node:test";

describe("InMemorySessions", () => {
  it("S13 ends streams and subscriptions, and refuses new ones", async () => {
    const sessions = new InMemorySessions({
      subscriptions: { deadlineMs: 50 },
    });
    const stream = open();
    sessions.streams.create("a", stream.controller);
    await sessions.info.setLogLevel("a", "info");
    const closed: string[] = [];
    for (const id of [1, 2]) {
      await sessions.subscriptions.create(
        { id, origin: "o", filters: { toolsListChanged: true } },
        {
          acknowledge: () => {},
          send: () => id === 1 ? undefined : new Promise(() => {}),
          close: (reason) => void closed.push(`${id} ${reason}`),
        },
      );
    }
    void sessions.subscriptions.send({
      jsonrpc: "2.0",
      method: "notifications/tools/list_changed",
    });
    await Promise.all([sessions.close(), sessions.close()]);
    await sessions[Symbol.asyncDispose]();
    assertEquals(closed, ["1 closed", "2 closed"]);
    assertEquals((await stream.reader.read()).done, true);
    assertThrows(
      () => sessions.streams.create("b", open().controller),
      ClosedError,
    );
    await assertRejects(async () =>
      await sessions.info.setLogLevel("b", "info")
    );
  });

  it("hands its options to the managers", async () => {
    const errors: Error[] = [];
    const sessions = new InMemorySessions({
      streams: { maxSessions: 1 },
      onError: (error) => errors.push(error),
    });
    const stream = open();
    sessions.streams.create("a", stream.controller);
    const error = assertThrows(
      () => sessions.streams.create("b", open().controller),
      SessionLimitError,
    );
    assertEquals(error.code, "ERR_SESSION_LIMIT");
    assertEquals(error.maxSessions, 1);
    stream.controller.close();
    sessions.streams.send(undefined, "x");
    assertInstanceOf(errors[0], DeliveryError);
    await sessions.close();
  });

  it("refuses options that are none, naming them", () => {
    for (
      const [options, argument] of [
        [7, "options"],
        [{ streams: 7 }, "streams"],
        [{ streams: { maxSessions: -1 } }, "streams.maxSessions"],
        [{ subscriptions: null }, "subscriptions"],
        [{ subscriptions: { deadlineMs: 0 } }, "subscriptions.deadlineMs"],
        [{ onError: {} }, "onError"],
      ] as const
    ) {
      const error = assertThrows(
        () => new InMemorySessions(options as never),
        InvalidArgumentError,
      );
      assertEquals(error.argument, argument);
    }
  });
});

function open() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const reader = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
  }).getReader();
  return { controller: controller!, reader };
}
