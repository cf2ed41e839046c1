import {
  DeliveryError,
  InMemoryStreamSessionManager,
  type InMemoryStreamSessionManagerOptions,
} from "@crossmcp/session-manager";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "node:test";
import { endOfTurn, faked, open, openBytes } from "../support/streams.ts";

describe("LocalStreams, turn by turn", () => {
  it(
    "writes a turn's first text at once, and the others in one",
    faked(async (time) => {
      const { manager } = make();
      const { controller, read } = open();
      manager.create("a", controller);
      for (const turn of ["x", "y"]) {
        manager.send(["a"], `${turn}1`);
        assertEquals(await read(), `${turn}1`);
        manager.send(["a"], `${turn}2`);
        await Promise.resolve();
        manager.send(["a"], `${turn}3`);
        await endOfTurn();
        assertEquals(await read(), `${turn}2${turn}3`);
        time.tick(1_000);
      }
      assertEquals(manager.stats().delivered, 6);
      await manager.close();
    }),
  );

  it(
    "writes all of a turn in one where the last turn had several texts",
    faked(async (time) => {
      const { manager } = make({ keepAliveMs: 1_500 });
      const { controller, read } = open();
      manager.create("a", controller);
      for (const text of ["1", "2"]) manager.send(["a"], text);
      await endOfTurn();
      assertEquals([await read(), await read()], ["1", "2"]);
      for (const text of ["3", "4"]) manager.send(["a"], text);
      await endOfTurn();
      assertEquals(await read(), "34");
      time.tick(900);
      manager.send(["a"], "5\n\n");
      assertEquals(manager.stats().queuedBytes, 3);
      await endOfTurn();
      assertEquals(await read(), "5\n\n");
      // The last turn had one.
      manager.send(["a"], "6");
      assertEquals(await read(), "6");
      manager.send(["a"], "7\n\n");
      await endOfTurn();
      assertEquals(await read(), "7\n\n");
      // A comment is none of several, and is not taken for a sign of more.
      time.tick(2_000);
      assertEquals(await read(), ": keep-alive\n\n");
      manager.send(["a"], "8");
      assertEquals(await read(), "8");
      manager.send(["a"], "9");
      await endOfTurn();
      assertEquals(await read(), "9");
      await manager.close();
    }),
  );

  it("knows when that was, also where nothing is watched", async () => {
    const { manager } = make({ backlog: false, keepAliveMs: false });
    const { controller, read } = open();
    manager.create("a", controller);
    for (const text of ["1", "2"]) manager.send(["a"], text);
    await endOfTurn();
    assertEquals([await read(), await read()], ["1", "2"]);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    manager.send(["a"], "3");
    assertEquals(manager.stats().queuedBytes, 1);
    manager.send(["a"], "4");
    await endOfTurn();
    assertEquals([await read(), await read()], ["3", "4"]);
    await manager.close();
  });

  it("writes text by text when it is told to", async () => {
    const { manager } = make({ coalesce: false });
    const { controller, read } = open();
    manager.create("a", controller);
    for (const text of ["1", "2", "3"]) manager.send(["a"], text);
    manager.delete("a");
    assertEquals([await read(), await read(), await read()], ["1", "2", "3"]);
  });

  for (const end of ["delete", "close", "drain"] as const) {
    it(`S7 ${end} loses nothing that waits`, async () => {
      const { manager, errors } = make();
      const streams = [open(), openBytes()];
      for (const [at, { controller }] of streams.entries()) {
        manager.create(`${at}`, controller);
      }
      for (const text of ["1", "2", "3"]) manager.send(undefined, text);
      const rests = streams.map(({ rest }) => rest());
      if (end === "delete") {
        manager.delete("0");
        manager.delete("1");
      } else await manager.close({ drainMs: end === "drain" ? 20 : 0 });
      const retry = end === "drain" ? "retry: 1000\n\n" : "";
      for (const rest of rests) {
        assertEquals(await rest, { text: `123${retry}`, end: "closed" });
      }
      await endOfTurn();
      assertEquals(errors, []);
    });
  }

  it("S7 hands what waits to the stream that takes its place", async () => {
    const { manager, errors } = make();
    const [older, newer] = [open(), open()];
    manager.create("a", older.controller);
    manager.send(["a"], "1");
    assertEquals(await older.read(), "1");
    manager.send(["a"], "2");
    manager.create("a", newer.controller);
    manager.send(["a"], "3");
    manager.send(["a"], "4");
    manager.delete("a");
    assertEquals(await older.rest(), { text: "", end: "closed" });
    assertEquals(await newer.rest(), { text: "234", end: "closed" });
    assertEquals(errors, []);
  });

  it("S6 reports a stream that fails while a turn ends, once", async () => {
    for (const how of ["end of turn", "delete", "close"] as const) {
      const { manager, errors } = make();
      const [broken, sound] = [open(), open()];
      manager.create("broken", broken.controller);
      manager.create("sound", sound.controller);
      for (const text of ["1", "2"]) manager.send(undefined, text);
      broken.controller.error(new Error("gone"));
      if (how === "delete") manager.delete("broken");
      if (how === "close") await manager.close();
      await endOfTurn();
      await endOfTurn();
      assertEquals(errors.length, 1, how);
      assertInstanceOf(errors[0], DeliveryError);
      assertEquals((errors[0] as DeliveryError).sessionId, "broken");
      assertEquals(await manager.has("broken"), false);
      manager.delete("sound");
      assertEquals((await sound.rest()).text, "12");
    }
  });

  it("S6 reports nothing of a client that left before the turn's end", async () => {
    const { manager, errors } = make();
    const { controller, reader } = open({}, {
      cancel: () => manager.delete("a"),
    });
    manager.create("a", controller);
    for (const text of ["1", "2"]) manager.send(["a"], text);
    await reader.cancel();
    await endOfTurn();
    assertEquals(await manager.has("a"), false);
    assertEquals(errors, []);
  });

  it("S10 says nothing more of a stream that was broken off", async () => {
    const { manager, errors, evicted } = make({ backlog: { maxBytes: 4 } });
    manager.create("a", open().controller);
    manager.send(["a"], "1");
    await endOfTurn();
    manager.send(["a"], "2");
    manager.send(["a"], "3");
    manager.send(["a"], "too much");
    const newer = open();
    manager.create("a", newer.controller);
    await endOfTurn();
    assertEquals(evicted, [["a", "bytes"]]);
    assertEquals(errors, []);
    assertEquals(await manager.has("a"), true);
    await manager.close();
  });

  it("S10 does not count what was read within the turn", async () => {
    for (const coalesce of [true, false]) {
      const { manager, evicted } = make({
        coalesce,
        backlog: { maxBytes: 100 },
      });
      const { controller, read } = open();
      manager.create("a", controller);
      manager.send(["a"], "x".repeat(90));
      assertEquals((await read()).length, 90);
      manager.send(["a"], "y".repeat(20));
      await endOfTurn();
      assertEquals(manager.stats().queuedBytes, 20);
      manager.send(["a"], "z".repeat(80));
      assertEquals(evicted, []);
      await manager.close();
    }
  });

  it("S10 counts a turn's chunks one by one", async () => {
    const { manager, evicted } = make({ backlog: { maxBytes: 100 } });
    const { controller, read } = open();
    manager.create("a", controller);
    // Nothing is unread, so a text may be of any size.
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

  it("S10 keeps who is a little behind, however much comes", async () => {
    const { manager, evicted } = make({
      coalesce: false,
      backlog: { maxBytes: 100 },
    });
    const { controller, read } = open();
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

function make(options: InMemoryStreamSessionManagerOptions = {}) {
  const errors: Error[] = [];
  const evicted: [id: string, reason: string][] = [];
  const manager = new InMemoryStreamSessionManager({
    ...options,
    onError: (error) => errors.push(error),
    onEvict: (id, reason) => evicted.push([id, reason]),
  });
  return { manager, errors, evicted };
}
