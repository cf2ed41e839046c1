import {
  ClosedError,
  InMemoryStreamSessionManager,
  InvalidArgumentError,
  SessionLimitError,
} from "@crossmcp/session-manager";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { openStream } from "../support/streams.ts";

describe("InMemoryStreamSessionManager, expecting a stream", () => {
  it("hides the stream that is attached, which goes on", async () => {
    const manager = new InMemoryStreamSessionManager();
    const older = openStream();
    manager.create("a", older.controller);
    const takeBack = manager.prepareStream("a");
    assertEquals(await manager.has("a"), false);
    manager.send(["a"], "goes on");
    assertEquals(await older.read(), "goes on");
    // The stream did not come.
    takeBack();
    takeBack();
    assertEquals(await manager.has("a"), true);
    manager.prepareStream("a");
    const newer = openStream();
    manager.create("a", newer.controller);
    assertEquals(await manager.has("a"), true);
    assertEquals((await older.readToEnd()).end, "closed");
    manager.send(["a"], "for the newer");
    assertEquals(await newer.read(), "for the newer");
    await manager.close();
  });

  it("keeps a place free, one for each session", async () => {
    const manager = new InMemoryStreamSessionManager({ maxSessions: 2 });
    const stream = openStream();
    manager.create("a", stream.controller);
    const takeBack = [manager.prepareStream("b"), manager.prepareStream("b")];
    const error = assertThrows(
      () => manager.prepareStream("c"),
      SessionLimitError,
    );
    assertEquals(error.maxSessions, 2);
    assertThrows(
      () => manager.create("c", openStream().controller),
      SessionLimitError,
    );
    // Replacing a stream needs no place.
    manager.prepareStream("a")();
    takeBack[0]!();
    assertThrows(() => manager.prepareStream("c"), SessionLimitError);
    takeBack[1]!();
    manager.prepareStream("c");
    manager.create("c", openStream().controller);
    assertThrows(() => manager.prepareStream("b"), SessionLimitError);
    manager.delete("a");
    manager.create("b", openStream().controller);
    assertEquals(manager.stats().attached, 2);
    await manager.close();
  });

  it("holds for one stream, or until it is taken back", async () => {
    const manager = new InMemoryStreamSessionManager({ replay: {} });
    const { latestEventId } = manager;
    manager.send(undefined, "data: missed\n\n");
    manager.prepareStream("a", { lastEventId: latestEventId });
    const takeBack = manager.prepareStream("b", {
      lastEventId: latestEventId,
      persistent: true,
    });
    for (const id of ["a", "b", "a", "b"]) {
      manager.create(id, openStream().controller);
    }
    assertEquals(manager.stats().replayed, 3);
    takeBack();
    manager.create("b", openStream().controller);
    assertEquals(manager.stats().replayed, 3);
    await manager.close();
  });

  it("goes by the latest of a session, in whatever order streams come", async () => {
    const manager = new InMemoryStreamSessionManager({ replay: {} });
    const { latestEventId } = manager;
    manager.send(["a"], "data: one\n\n");
    const { latestEventId: later } = manager;
    manager.send(["a"], "data: two\n\n");
    manager.prepareStream("a", { lastEventId: latestEventId });
    manager.prepareStream("a", { lastEventId: later });
    const stream = openStream();
    manager.create("a", stream.controller);
    manager.delete("a");
    assertEquals(
      (await stream.readToEnd()).text,
      `data: two\nid: ${manager.latestEventId}\n\n`,
    );
    await manager.close();
  });

  it("refuses what is no id, and all after close", async () => {
    const manager = new InMemoryStreamSessionManager();
    for (const id of ["", "a b", undefined]) {
      assertThrows(
        () => manager.prepareStream(id as string),
        InvalidArgumentError,
      );
    }
    const takeBack = manager.prepareStream("a");
    await manager.close();
    assertThrows(() => manager.prepareStream("a"), ClosedError);
    assertThrows(
      () => manager.create("a", openStream().controller),
      ClosedError,
    );
    takeBack();
  });
});

describe("InMemoryStreamSessionManager, with replay", () => {
  it("tells its position, event by event", async () => {
    assertEquals(new InMemoryStreamSessionManager().latestEventId, undefined);
    const manager = new InMemoryStreamSessionManager({ replay: {} });
    const stream = openStream();
    manager.create("a", stream.controller);
    const start = manager.latestEventId;
    manager.send(["a"], "data: one\n\n");
    const next = manager.latestEventId;
    assert(start !== next);
    assertEquals(await stream.read(), `data: one\nid: ${next}\n\n`);
    // Nobody has to be there.
    manager.send(["away"], "data: two\n\ndata: three\n\n");
    assert(manager.latestEventId !== next);
    const other = new InMemoryStreamSessionManager({ replay: {} });
    assert(
      other.latestEventId !== start,
      "Two managers have the same position",
    );
    await manager.close();
    await other.close();
  });

  it("says of a reset when the stream is there for what to send", async () => {
    const resets: string[] = [];
    const manager = new InMemoryStreamSessionManager({
      replay: { maxEvents: 1 },
      onReset: (id, reason) => {
        resets.push(`${id} ${reason}`);
        manager.send([id], "data: all over\n\n");
        throw new Error("A listener that throws gets in nobody's way.");
      },
    });
    const position = manager.latestEventId!;
    manager.send(undefined, "data: one\n\ndata: two\n\n");
    const future = position.replace(/0$/, "99");
    const ids = { unknown: "x", purged: position, future };
    for (const [reason, lastEventId] of Object.entries(ids)) {
      const stream = openStream();
      const at = manager.latestEventId;
      manager.prepareStream("a", { lastEventId });
      manager.create("a", stream.controller);
      manager.delete("a");
      assertEquals(
        (await stream.readToEnd()).text,
        `event: reset\nid: ${at}\ndata: {"reason":"${reason}"}\n\n` +
          `data: all over\nid: ${manager.latestEventId}\n\n`,
      );
    }
    assertEquals(resets, ["a unknown", "a purged", "a future"]);
    assertEquals(manager.stats().resets, 3);
    await manager.close();
  });
});

describe("InMemoryStreamSessionManager, draining", () => {
  it("S13 ends streams in the order in which they came", async () => {
    const manager = new InMemoryStreamSessionManager();
    const ended: string[] = [];
    const rests: Promise<unknown>[] = [];
    for (const id of ["a", "b", "c", "d"]) {
      const { controller, readToEnd } = openStream();
      manager.create(id, controller);
      rests.push(readToEnd().then(() => ended.push(id)));
    }
    const closing = manager.close({ drainMs: 100 });
    assertThrows(
      () => manager.create("e", openStream().controller),
      ClosedError,
    );
    // A drain that goes on is not drawn out by another.
    await Promise.all([closing, manager.close({ drainMs: 60_000 })]);
    await Promise.all(rests);
    assertEquals(ended, ["a", "b", "c", "d"]);
  });

  it("S13 is over at once where there is nothing to end", async () => {
    const manager = new InMemoryStreamSessionManager();
    await manager.close({ drainMs: 60_000 });
    await manager.close({ drainMs: 60_000 });
    await manager[Symbol.asyncDispose]();
  });

  it("S13 gives up in the end on readers that do not read", async () => {
    const manager = new InMemoryStreamSessionManager();
    const stalled = openStream();
    manager.create("a", stalled.controller);
    manager.send(["a"], "not read in time");
    await manager.close({ drainMs: 20 });
    await assertRejects(
      () => stalled.reader.read(),
      ClosedError,
      "shutting down",
    );
  });
});
