import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { createManager, endOfTurn, openStream } from "../support/streams.ts";

describe("Evicting readers by the size of their backlog", () => {
  it("S10 does not write or report anything after an eviction", async () => {
    const { manager, errors, evicted } = createManager({
      backlog: { maxBytes: 4 },
    });
    manager.create("a", openStream().controller);
    manager.send(["a"], "1");
    await endOfTurn();
    manager.send(["a"], "2");
    manager.send(["a"], "3");
    manager.send(["a"], "too long");
    const newer = openStream();
    manager.create("a", newer.controller);
    await endOfTurn();
    assertEquals(evicted, [["a", "bytes"]]);
    assertEquals(errors, []);
    assertEquals(await manager.has("a"), true);
    await manager.close();
  });

  for (const coalesce of [true, false]) {
    it(
      "S10 does not count bytes that were read during the turn" +
        (coalesce ? "" : ", without coalescing"),
      async () => {
        const { manager, evicted } = createManager({
          coalesce,
          backlog: { maxBytes: 100 },
        });
        const { controller, read } = openStream();
        manager.create("a", controller);
        manager.send(["a"], "x".repeat(90));
        assertEquals((await read()).length, 90);
        manager.send(["a"], "y".repeat(20));
        await endOfTurn();
        assertEquals(manager.stats().queuedBytes, 20);
        manager.send(["a"], "z".repeat(80));
        assertEquals(evicted, []);
        await manager.close();
      },
    );
  }

  it("S10 counts the chunks of a turn separately", async () => {
    const { manager, evicted } = createManager({ backlog: { maxBytes: 100 } });
    const { controller, read } = openStream();
    manager.create("a", controller);
    // Nothing is unread, so the frame may have any size.
    manager.send(["a"], "x".repeat(1_000));
    manager.send(["a"], "y");
    await endOfTurn();
    assertEquals((await read()).length, 1_000);
    assertEquals(manager.stats().queuedBytes, 1);
    manager.send(["a"], "z".repeat(99));
    await endOfTurn();
    assertEquals(evicted, []);
    manager.send(["a"], "!");
    assertEquals(evicted, [["a", "bytes"]]);
  });

  it("S10 keeps a reader that stays a little behind", async () => {
    const { manager, evicted } = createManager({
      coalesce: false,
      backlog: { maxBytes: 100 },
    });
    const { controller, read } = openStream();
    manager.create("a", controller);
    manager.send(["a"], "0".repeat(10));
    for (let turn = 0; turn < 50; turn++) {
      await endOfTurn();
      manager.send(["a"], "1".repeat(30));
      assertEquals((await read()).length, turn === 0 ? 10 : 30);
      manager.send(["a"], "2".repeat(30));
      assertEquals((await read()).length, 30);
      assertEquals(manager.stats().queuedBytes, 30, `turn ${turn}`);
    }
    assertEquals(evicted, []);
    await manager.close();
  });
});
