import {
  ClosedError,
  DeliveryError,
  InMemoryStreamSessionManager,
  InvalidArgumentError,
} from "@crossmcp/session-manager";
import { testStreamSessionManager } from "@crossmcp/session-manager/testing";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { describe, it } from "node:test";

describe("InMemoryStreamSessionManager", () => {
  testStreamSessionManager({
    test: it,
    create: (limits) => new InMemoryStreamSessionManager(limits),
    dispose: (manager) => manager.close?.(),
  });

  it("refuses ids that cannot be one and keeps what is attached", async () => {
    const manager = new InMemoryStreamSessionManager();
    const kept = open();
    manager.create("kept", kept.controller);
    const longest = "x".repeat(256);
    manager.create(longest, open().controller);
    for (
      const id of ["", `${longest}x`, "a b", "tab\t", "caf\u00e9", "\x7f", "\n"]
    ) {
      const error = assertThrows(
        () => manager.create(id, open().controller),
        InvalidArgumentError,
        "1 to 256 characters of visible ASCII",
      );
      assertEquals(error.code, "ERR_INVALID_ARGUMENT");
      assertEquals(error.argument, "id");
      assert(error.message.length < 200, "The message repeats the whole id.");
      // Looking for what cannot be there is no error: there is no such session.
      assertEquals(await manager.has(id), false);
      manager.delete(id);
      manager.send([id], "x");
    }
    for (const id of [undefined, null, 7, {}, ["kept"]]) {
      assertThrows(
        () => manager.create(id as string, open().controller),
        InvalidArgumentError,
        "has to be a string",
      );
    }
    manager.send(undefined, "still here");
    assertEquals(await kept.read(), "still here");
  });

  it("refuses controllers that are none and keeps what is attached", async () => {
    const manager = new InMemoryStreamSessionManager();
    const kept = open();
    manager.create("a", kept.controller);
    const writer = new WritableStream().getWriter();
    for (const controller of [undefined, null, {}, "x", 7, writer, () => {}]) {
      assertThrows(
        () =>
          manager.create(
            "a",
            controller as unknown as ReadableStreamDefaultController,
          ),
        InvalidArgumentError,
        "no stream controller",
      );
    }
    manager.send(["a"], "still here");
    assertEquals(await kept.read(), "still here");
  });

  it("refuses data that is no string before anybody gets anything", async () => {
    const manager = new InMemoryStreamSessionManager();
    const stream = open();
    manager.create("a", stream.controller);
    for (const data of [undefined, null, 7, {}, new Uint8Array(2), ["x"]]) {
      for (const sessions of [undefined, ["a"], []]) {
        assertThrows(
          () => manager.send(sessions, data as string),
          InvalidArgumentError,
          "Only strings can be sent",
        );
      }
    }
    for (const sessions of [null, "a", new Set(["a"]), { a: 1 }]) {
      assertThrows(
        () => manager.send(sessions as unknown as string[], "x"),
        InvalidArgumentError,
        "undefined for everyone",
      );
    }
    manager.send(undefined, "first");
    assertEquals(await stream.read(), "first");
  });

  it("refuses options out of range, naming them", () => {
    for (const maxSessions of [0, -1, 1.5, NaN, "3", null]) {
      const error = assertThrows(
        () =>
          new InMemoryStreamSessionManager({
            maxSessions: maxSessions as number,
          }),
        InvalidArgumentError,
        '"maxSessions" has to be',
      );
      assertEquals(error.argument, "maxSessions");
    }
    for (const options of [null, 7, "x"]) {
      assertThrows(
        () => new InMemoryStreamSessionManager(options as never),
        InvalidArgumentError,
        "has to be an object",
      );
    }
    assertThrows(
      () => new InMemoryStreamSessionManager({ onError: "log" as never }),
      InvalidArgumentError,
      '"onError" has to be a function',
    );
    new InMemoryStreamSessionManager({ maxSessions: Infinity });
  });

  it("reports a removed stream once, with its cause", () => {
    const errors: Error[] = [];
    const manager = new InMemoryStreamSessionManager({
      onError: (error) => {
        errors.push(error);
        throw new Error("A reporter that throws gets in nobody's way.");
      },
    });
    const gone = open();
    manager.create("gone", gone.controller);
    manager.create("other", open().controller);
    gone.controller.close();
    manager.send(undefined, "x");
    manager.send(undefined, "x");
    assertEquals(errors.length, 1);
    const error = errors[0] as DeliveryError;
    assertInstanceOf(error, DeliveryError);
    assertEquals(error.code, "ERR_DELIVERY");
    assertEquals(error.sessionId, "gone");
    assertStringIncludes(error.message, '"gone"');
    assertInstanceOf(error.cause, TypeError);
  });

  it("encodes once: every stream gets the same bytes", async () => {
    const manager = new InMemoryStreamSessionManager();
    const streams = [open(), open(), open()];
    for (const [index, { controller }] of streams.entries()) {
      manager.create(`s${index}`, controller);
    }
    manager.send(undefined, "shared");
    const [first, ...others] = await Promise.all(
      streams.map(async ({ reader }) => (await reader.read()).value),
    );
    for (const chunk of others) assertStrictEquals(chunk, first);
  });

  it("breaks an older stream off where its reader is behind", async () => {
    const manager = new InMemoryStreamSessionManager();
    const older = open();
    manager.create("a", older.controller);
    manager.send(["a"], "not read in time");
    manager.create("a", open().controller);
    const error = await older.reader.read().then(
      () => undefined,
      (error) => error,
    );
    assertInstanceOf(error, ClosedError);
    assertEquals(error.code, "ERR_CLOSED");
  });

  it("gives a waiting BYOB reader its buffer back", async () => {
    const manager = new InMemoryStreamSessionManager();
    let controller: ReadableByteStreamController | undefined;
    const reader = new ReadableStream({
      type: "bytes",
      start: (given) => {
        controller = given;
      },
    }).getReader({ mode: "byob" });
    manager.create("a", controller!);
    const first = reader.read(new Uint8Array(8));
    manager.send(["a"], "12345");
    assertEquals(new TextDecoder().decode((await first).value), "12345");
    const last = reader.read(new Uint8Array(8));
    manager.delete("a");
    assertEquals((await last).done, true);
  });

  it("survives streams that call the manager while they take data", async () => {
    const manager = new InMemoryStreamSessionManager();
    const last = open();
    let calls = 0;
    const meddling = open({
      highWaterMark: 10,
      size: () => {
        if (calls++ > 0) return 1;
        manager.delete("victim");
        manager.create("newcomer", open().controller);
        manager.send(["last"], "[inner]");
        return 1;
      },
    });
    manager.create("meddling", meddling.controller);
    manager.create("victim", open().controller);
    manager.create("last", last.controller);
    manager.send(undefined, "[outer]");
    assertEquals(await manager.has("victim"), false);
    assertEquals(await manager.has("newcomer"), true);
    // In the order of the calls, although this one's turn had not come yet.
    assertEquals(await last.read() + await last.read(), "[outer][inner]");
  });

  it("ends a send that makes others attach streams", () => {
    let reattached = 0;
    const manager = new InMemoryStreamSessionManager({
      onError: () => {
        if (reattached++ > 100) return;
        const { controller } = open();
        manager.create(`again-${reattached}`, controller);
        controller.close();
      },
    });
    const gone = open().controller;
    manager.create("gone", gone);
    gone.close();
    manager.send(undefined, "x");
    assertEquals(reattached, 1);
  });

  it("is closed by await using", async () => {
    const stream = open();
    {
      await using manager = new InMemoryStreamSessionManager();
      manager.create("a", stream.controller);
    }
    assertEquals((await stream.reader.read()).done, true);
  });
});

function open(strategy?: QueuingStrategy<Uint8Array>) {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const reader = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
  }, strategy).getReader();
  return {
    controller: controller!,
    reader,
    read: async () => new TextDecoder().decode((await reader.read()).value),
  };
}
