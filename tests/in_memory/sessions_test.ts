import {
  ClosedError,
  DeliveryError,
  InMemorySessions,
  InvalidArgumentError,
  SessionLimitError,
} from "@crossmcp/session-manager";
import { testSessions } from "@crossmcp/session-manager/testing";
import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { describe, it } from "node:test";

describe("InMemorySessions", () => {
  testSessions({
    test: it,
    create: (options) => new InMemorySessions(options),
  });

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
        [{ streams: { backlog: true } }, "streams.backlog"],
        [{ streams: { backlog: { maxBytes: 0 } } }, "streams.backlog.maxBytes"],
        [
          { streams: { backlog: { maxAgeMs: -1 } } },
          "streams.backlog.maxAgeMs",
        ],
        [{ streams: { keepAliveMs: true } }, "streams.keepAliveMs"],
        [{ streams: { keepAliveMs: "15000" } }, "streams.keepAliveMs"],
        [{ streams: { coalesce: 1 } }, "streams.coalesce"],
        [{ streams: { replay: true } }, "streams.replay"],
        [
          { streams: { replay: { maxEvents: 1.5 } } },
          "streams.replay.maxEvents",
        ],
        [{ streams: { replay: { maxBytes: NaN } } }, "streams.replay.maxBytes"],
        [{ streams: { replay: { maxAgeMs: 0 } } }, "streams.replay.maxAgeMs"],
        [{ info: 7 }, "info"],
        [{ info: { idleMs: null } }, "info.idleMs"],
        [{ info: { maxSessions: 0 } }, "info.maxSessions"],
        [{ onEvict: 1 }, "onEvict"],
        [{ onReset: "x" }, "onReset"],
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

describe("InMemorySessions.close", () => {
  it("refuses options that are none, and closes nothing then", async () => {
    await using sessions = new InMemorySessions();
    sessions.streams.create("a", open().controller);
    for (
      const [options, argument] of [
        [7, "options"],
        [{ drainMs: -1 }, "drainMs"],
        [{ drainMs: Infinity }, "drainMs"],
        [{ drainMs: 10, retryMs: "1" }, "retryMs"],
      ] as const
    ) {
      const error = await assertRejects(
        () => sessions.close(options as never),
        InvalidArgumentError,
      );
      assertEquals(error.argument, argument);
    }
    assertEquals(await sessions.streams.has("a"), true);
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
