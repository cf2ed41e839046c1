import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  createManager,
  endOfTurn,
  openByteStream,
  openStream,
  usingFakeTime,
} from "../support/streams.ts";

describe("Broadcasts to readers that have read everything", () => {
  it("S10 evicts a reader that holds too many unread bytes", async () => {
    const { manager, errors, evicted } = createManager({
      backlog: { maxBytes: 1_000 },
    });
    const [fast, slow] = [openStream(), openStream()];
    manager.create("fast", fast.controller);
    manager.create("slow", slow.controller);
    for (let turn = 1; turn <= 11; turn++) {
      manager.send(undefined, "x".repeat(100));
      await endOfTurn();
      assertEquals((await fast.read()).length, 100);
      assertEquals(evicted, turn <= 10 ? [] : [["slow", "bytes"]]);
    }
    assertEquals(manager.stats().evicted, { bytes: 1, age: 0 });
    await manager.close();
    assertEquals(errors, []);
  });

  it("S10 a reader without a backlog may get a burst of any size, once", async () => {
    const { manager, errors, evicted } = createManager({
      backlog: { maxBytes: 100 },
    });
    const { controller, read } = openStream();
    manager.create("a", controller);
    for (let turn = 0; turn < 3; turn++) {
      manager.send(undefined, "x".repeat(20));
      await endOfTurn();
      await read();
    }
    for (let i = 0; i < 10; i++) manager.send(undefined, "burst ");
    manager.send(["a"], "x".repeat(1_000));
    await endOfTurn();
    assertEquals(evicted, []);
    manager.send(undefined, "x");
    assertEquals(evicted, [["a", "bytes"]]);
    await manager.close();
    assertEquals(errors, []);
  });

  it("S10 a reader with a backlog may get only what still fits", async () => {
    const { manager, errors, evicted } = createManager({
      backlog: { maxBytes: 100 },
    });
    const { controller, read } = openStream();
    manager.create("a", controller);
    manager.send(undefined, "first");
    await endOfTurn();
    await read();
    for (const frame of ["x".repeat(40), "y".repeat(40)]) {
      manager.send(undefined, frame);
      await endOfTurn();
    }
    manager.send(undefined, "z");
    manager.send(undefined, "z".repeat(19));
    assertEquals(evicted, []);
    manager.send(undefined, "z");
    assertEquals(evicted, [["a", "bytes"]]);
    await manager.close();
    assertEquals(errors, []);
  });

  it("S10 bytes that were read don't count when a stream counts bytes", async () => {
    const { manager, errors, evicted } = createManager({
      backlog: { maxBytes: 1_000 },
    });
    const { controller, read } = openStream(
      new ByteLengthQueuingStrategy({ highWaterMark: 10_000 }),
    );
    manager.create("a", controller);
    for (let turn = 0; turn < 100; turn++) {
      manager.send(undefined, "x".repeat(100));
      await endOfTurn();
      // The reader is always two frames behind.
      if (turn > 1) assertEquals((await read()).length, 100);
      if (turn > 50) assertEquals(manager.stats().queuedBytes, 200);
    }
    assertEquals(evicted, []);
    await manager.close();
    assertEquals(errors, []);
  });

  it("S8 reaches the streams that remain after thousands were deleted", async () => {
    const { manager } = createManager();
    const remaining = new Map(
      [...Array(50).keys()].map((at) => [`${at}`, openStream()]),
    );
    for (const [id, { controller }] of remaining) {
      for (let others = 0; others < 40; others++) {
        manager.create(`${id}-${others}`, openStream().controller);
      }
      manager.create(id, controller);
      if (Number(id) % 10 === 0) manager.send(undefined, "early ");
      for (let others = 0; others < 40; others++) {
        manager.delete(`${id}-${others}`);
      }
      await endOfTurn();
    }
    manager.send(undefined, "late");
    await manager.close();
    for (const [id, { readToEnd }] of remaining) {
      const early = "early ".repeat(4 - Math.floor((Number(id) - 1) / 10));
      assertEquals(await readToEnd(), { text: `${early}late`, end: "closed" });
    }
  });

  it("S9 removes only the stream that fails", async () => {
    const { manager, errors } = createManager();
    const streams = ["a", "b", "c"].map((id) => {
      const stream = openStream();
      manager.create(id, stream.controller);
      return stream;
    });
    for (const frame of ["1", "2"]) {
      manager.send(undefined, frame);
      await endOfTurn();
    }
    streams[1]!.controller.close();
    manager.send(undefined, "3");
    assertEquals(errors.length, 1);
    assertEquals(manager.stats().attached, 2);
    assertEquals(manager.stats().delivered, 8);
    await manager.close();
    assertEquals(await streams[0]!.readToEnd(), { text: "123", end: "closed" });
    assertEquals(await streams[2]!.readToEnd(), { text: "123", end: "closed" });
  });

  it(
    "S11 writes keep-alive comments only when idle and between frames",
    usingFakeTime(async (time) => {
      const { manager } = createManager({ keepAliveMs: 1_000 });
      const { controller, read, readToEnd } = openStream();
      manager.create("a", controller);
      for (let turn = 0; turn < 10; turn++) {
        manager.send(undefined, `data: ${turn}\n\n`);
        await endOfTurn();
        assertEquals(await read(), `data: ${turn}\n\n`);
        time.tick(750);
      }
      time.tick(500);
      assertEquals(await read(), ": keep-alive\n\n");
      for (const frame of ["data: 1\n\n", "data: 2\n\n", "data: 3\n"]) {
        manager.send(undefined, frame);
        await endOfTurn();
        assertEquals(await read(), frame);
        time.tick(250);
      }
      time.tick(10_000);
      await manager.close();
      assertEquals(await readToEnd(), { text: "", end: "closed" });
    }),
  );

  it("S10 does not count a broadcast that has not reached a stream yet", async () => {
    const { manager, errors, evicted } = createManager({
      backlog: { maxBytes: 100 },
    });
    let isArmed = false;
    let queuedBytes: number | undefined;
    // Below its high water mark, a stream calls `pull` inside enqueue.
    const first = openStream({ highWaterMark: 10 }, {
      pull: () => {
        if (isArmed) queuedBytes ??= manager.stats().queuedBytes;
      },
    });
    const second = openStream();
    manager.create("first", first.controller);
    manager.create("second", second.controller);
    for (const length of [10, 60, 20]) {
      isArmed = length === 20;
      manager.send(undefined, "x".repeat(length));
      await endOfTurn();
      assertEquals((await first.read()).length, length);
    }
    assertEquals(evicted, []);
    // 20 on the first stream, 70 on the second, which the broadcast has not
    // reached yet.
    assertEquals(queuedBytes, 90);
    assertEquals(manager.stats().queuedBytes, 90);
    for (const length of [10, 60, 20]) {
      assertEquals((await second.read()).length, length);
    }
    await manager.close();
    assertEquals(errors, []);
  });

  it("S4 a stream that fails while being replaced doesn't affect the new one", async () => {
    const { manager, errors } = createManager();
    const newer = openStream();
    let frames = 0;
    const older = openStream({
      size: () => {
        if (++frames < 3) return 1;
        manager.create("a", newer.controller);
        throw new Error("size failed");
      },
    });
    manager.create("a", older.controller);
    for (const frame of ["1", "2", "3", "4"]) {
      manager.send(undefined, frame);
      await endOfTurn();
      if (frame < "3") assertEquals(await older.read(), frame);
    }
    assertEquals(errors, []);
    assertEquals(await newer.read(), "4");
    await manager.close();
  });

  it("S8 gives each byte stream its own copy of every broadcast", async () => {
    const { manager } = createManager();
    const streams = [openByteStream(), openByteStream()];
    for (const [at, { controller }] of streams.entries()) {
      manager.create(`${at}`, controller);
    }
    for (const frame of ["1", "2", "3"]) {
      manager.send(undefined, frame);
      await endOfTurn();
      for (const { read } of streams) assertEquals(await read(), frame);
    }
    await manager.close();
  });
});
