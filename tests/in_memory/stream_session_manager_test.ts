import {
  ClosedError,
  DeliveryError,
  InMemoryStreamSessionManager,
} from "@crossmcp/session-manager";
import { testStreamSessionManager } from "@crossmcp/session-manager/testing";
import {
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { describe, it } from "node:test";
import { endOfTurn, openStream } from "../support/streams.ts";
import { resetCounts } from "../support/empty_stats.ts";

describe("InMemoryStreamSessionManager", () => {
  testStreamSessionManager({
    test: it,
    create: (limits) => new InMemoryStreamSessionManager(limits),
    dispose: (manager) => manager.close?.(),
  });

  it("reports a failed stream once, with its cause", () => {
    const errors: Error[] = [];
    const manager = new InMemoryStreamSessionManager({
      onError: (error) => {
        errors.push(error);
        throw new Error("This error must be ignored.");
      },
    });
    const gone = openStream();
    manager.create("gone", gone.controller);
    manager.create("other", openStream().controller);
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

  it("encodes and concatenates once: streams share the same bytes", async () => {
    const manager = new InMemoryStreamSessionManager();
    const streams = [openStream(), openStream(), openStream()];
    for (const [index, { controller }] of streams.entries()) {
      manager.create(`s${index}`, controller);
    }
    const chunks = () =>
      Promise.all(
        streams.map(async ({ reader }) => (await reader.read()).value),
      );
    manager.send(undefined, "first");
    manager.send(["s0", "s1"], "for two, ");
    manager.send(undefined, "for all");
    const [first, ...others] = await chunks();
    for (const chunk of others) assertStrictEquals(chunk, first);
    const [second0, second1, second2] = await chunks();
    assertStrictEquals(second1, second0);
    const decoder = new TextDecoder();
    assertEquals(decoder.decode(second0), "for two, for all");
    assertEquals(decoder.decode(second2), "for all");
    await manager.close();
  });

  it("calls onEvict after every recipient got the frame", async () => {
    const evicted: string[] = [];
    const manager = new InMemoryStreamSessionManager({
      backlog: { maxBytes: 10 },
      onEvict: (id, reason) => {
        evicted.push(`${id} ${reason}`);
        manager.send(["last"], "notice");
        throw new Error("This error must be ignored.");
      },
    });
    const stalled = openStream();
    const last = openStream();
    manager.create("stalled", stalled.controller);
    manager.create("last", last.controller);
    manager.send(["stalled"], "ten bytes.");
    await endOfTurn();
    manager.send(undefined, "one more");
    assertEquals(evicted, ["stalled bytes"]);
    assertEquals(await last.read() + await last.read(), "one morenotice");
    const { end } = await stalled.readToEnd();
    assertInstanceOf(end, DeliveryError);
    assertEquals(end.sessionId, "stalled");
    assertStringIncludes(end.message, "too slow");
    await manager.close();
  });

  it("stats counts streams, deliveries and queued bytes", async () => {
    const manager = new InMemoryStreamSessionManager();
    const empty = {
      attached: 0,
      delivered: 0,
      queuedBytes: 0,
      evicted: { bytes: 0, age: 0 },
      replayed: 0,
      resets: resetCounts(),
    };
    assertEquals(manager.stats(), empty);
    const streams = [openStream(), openStream()];
    for (const [index, { controller }] of streams.entries()) {
      manager.create(`s${index}`, controller);
    }
    manager.send(undefined, "four");
    manager.send(["s0", "gone"], "\u20ac");
    const both = { ...empty, attached: 2, delivered: 3, queuedBytes: 11 };
    assertEquals(manager.stats(), both);
    await endOfTurn();
    assertEquals(manager.stats(), both);
    assertEquals(await streams[0]!.read(), "four");
    assertEquals(manager.stats(), { ...both, queuedBytes: 7 });
    await manager.close();
    assertEquals(manager.stats(), { ...empty, delivered: 3 });
  });

  it("stats returns a snapshot", async () => {
    const manager = new InMemoryStreamSessionManager();
    manager.create("a", openStream().controller);
    const before = manager.stats();
    manager.send(undefined, "x");
    assertEquals(before.delivered, 0);
    assertEquals(manager.stats().delivered, 1);
    await manager.close();
  });

  it("aborts a replaced stream whose reader has not read everything", async () => {
    const manager = new InMemoryStreamSessionManager();
    const older = openStream();
    manager.create("a", older.controller);
    manager.send(["a"], "unread");
    manager.create("a", openStream().controller);
    const error = await older.reader.read().then(
      () => undefined,
      (error) => error,
    );
    assertInstanceOf(error, ClosedError);
    assertEquals(error.code, "ERR_CLOSED");
  });

  it("completes the pending read of a BYOB reader on delete", async () => {
    const manager = new InMemoryStreamSessionManager();
    let controller: ReadableByteStreamController | undefined;
    const reader = new ReadableStream({
      type: "bytes",
      start: (value) => {
        controller = value;
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

  it("allows calls to the manager from inside enqueue", async () => {
    const manager = new InMemoryStreamSessionManager();
    const last = openStream();
    let calls = 0;
    const reentrant = openStream({
      highWaterMark: 10,
      size: () => {
        if (calls++ > 0) return 1;
        manager.delete("deleted");
        manager.create("added", openStream().controller);
        manager.send(["last"], "[inner]");
        return 1;
      },
    });
    manager.create("reentrant", reentrant.controller);
    manager.create("deleted", openStream().controller);
    manager.create("last", last.controller);
    manager.send(undefined, "[outer]");
    assertEquals(await manager.has("deleted"), false);
    assertEquals(await manager.has("added"), true);
    // Frames arrive in the order of the calls.
    assertEquals(await last.read() + await last.read(), "[outer][inner]");
  });

  it("send does not write to streams that are attached during the call", () => {
    let attached = 0;
    const manager = new InMemoryStreamSessionManager({
      onError: () => {
        if (attached++ > 100) return;
        const { controller } = openStream();
        manager.create(`added-${attached}`, controller);
        controller.close();
      },
    });
    const gone = openStream().controller;
    manager.create("gone", gone);
    gone.close();
    manager.send(undefined, "x");
    assertEquals(attached, 1);
  });

  it("await using closes the manager", async () => {
    const stream = openStream();
    {
      await using manager = new InMemoryStreamSessionManager();
      manager.create("a", stream.controller);
    }
    assertEquals((await stream.reader.read()).done, true);
  });
});
