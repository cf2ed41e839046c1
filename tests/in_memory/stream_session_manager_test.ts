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

describe("InMemoryStreamSessionManager", () => {
  testStreamSessionManager({
    test: it,
    create: (limits) => new InMemoryStreamSessionManager(limits),
    dispose: (manager) => manager.close?.(),
  });

  it("reports a removed stream once, with its cause", () => {
    const errors: Error[] = [];
    const manager = new InMemoryStreamSessionManager({
      onError: (error) => {
        errors.push(error);
        throw new Error("A reporter that throws gets in nobody's way.");
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

  it("encodes and joins once: every stream gets the same bytes", async () => {
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
    const [ofTwo, ofTheOther, alone] = await chunks();
    assertStrictEquals(ofTheOther, ofTwo);
    const decoder = new TextDecoder();
    assertEquals(decoder.decode(ofTwo), "for two, for all");
    assertEquals(decoder.decode(alone), "for all");
    await manager.close();
  });

  it("tells of an eviction when everyone has got the text", async () => {
    const evicted: string[] = [];
    const manager = new InMemoryStreamSessionManager({
      backlog: { maxBytes: 10 },
      onEvict: (id, reason) => {
        evicted.push(`${id} ${reason}`);
        manager.send(["last"], "told");
        throw new Error("A listener that throws gets in nobody's way.");
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
    assertEquals(await last.read() + await last.read(), "one moretold");
    const { end } = await stalled.readToEnd();
    assertInstanceOf(end, DeliveryError);
    assertEquals(end.sessionId, "stalled");
    assertStringIncludes(end.message, "too slow");
    await manager.close();
  });

  it("counts what it does", async () => {
    const manager = new InMemoryStreamSessionManager();
    const none = {
      attached: 0,
      delivered: 0,
      queuedBytes: 0,
      evicted: { bytes: 0, age: 0 },
      replayed: 0,
      resets: 0,
    };
    assertEquals(manager.stats(), none);
    const streams = [openStream(), openStream()];
    for (const [index, { controller }] of streams.entries()) {
      manager.create(`s${index}`, controller);
    }
    manager.send(undefined, "four");
    manager.send(["s0", "gone"], "\u20ac");
    const both = { ...none, attached: 2, delivered: 3, queuedBytes: 11 };
    assertEquals(manager.stats(), both);
    await endOfTurn();
    assertEquals(manager.stats(), both);
    assertEquals(await streams[0]!.read(), "four");
    assertEquals(manager.stats(), { ...both, queuedBytes: 7 });
    // What was handed out does not change.
    assertEquals(both.delivered, 3);
    await manager.close();
    assertEquals(manager.stats(), { ...none, delivered: 3 });
  });

  it("breaks an older stream off where its reader is behind", async () => {
    const manager = new InMemoryStreamSessionManager();
    const older = openStream();
    manager.create("a", older.controller);
    manager.send(["a"], "not read in time");
    manager.create("a", openStream().controller);
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
    const last = openStream();
    let calls = 0;
    const meddling = openStream({
      highWaterMark: 10,
      size: () => {
        if (calls++ > 0) return 1;
        manager.delete("victim");
        manager.create("newcomer", openStream().controller);
        manager.send(["last"], "[inner]");
        return 1;
      },
    });
    manager.create("meddling", meddling.controller);
    manager.create("victim", openStream().controller);
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
        const { controller } = openStream();
        manager.create(`again-${reattached}`, controller);
        controller.close();
      },
    });
    const gone = openStream().controller;
    manager.create("gone", gone);
    gone.close();
    manager.send(undefined, "x");
    assertEquals(reattached, 1);
  });

  it("is closed by await using", async () => {
    const stream = openStream();
    {
      await using manager = new InMemoryStreamSessionManager();
      manager.create("a", stream.controller);
    }
    assertEquals((await stream.reader.read()).done, true);
  });
});
