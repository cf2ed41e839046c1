import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  advance,
  createManager,
  endOfTurn,
  openStream,
  usingFakeTime,
} from "../support/streams.ts";

const COMMENT = ": keep-alive\n\n";

describe("Keep-alive comments", () => {
  it(
    "S11 writes comments only to idle streams, at regular intervals",
    usingFakeTime(async (time) => {
      const { manager } = createManager({ keepAliveMs: 1_000 });
      const [idle, busy] = [openStream(), openStream()];
      manager.create("idle", idle.controller);
      manager.create("busy", busy.controller);
      for (let turn = 0; turn < 4; turn++) {
        await advance(time, 500);
        manager.send(["busy"], "data: x\n\n");
        assertEquals(await busy.read(), "data: x\n\n");
      }
      assertEquals(await idle.read(), COMMENT);
      await advance(time, 1_250);
      assertEquals(await idle.read(), COMMENT);
      assertEquals(await busy.read(), COMMENT);
      await manager.close();
      assertEquals(await idle.readToEnd(), { text: "", end: "closed" });
      assert(!time.next(), "A timer still runs.");
    }),
  );

  it(
    "S11 writes no comment inside a frame",
    usingFakeTime(async (time) => {
      const { manager } = createManager({ keepAliveMs: 1_000, backlog: false });
      const { controller, read } = openStream();
      manager.create("a", controller);
      manager.send(["a"], "data: 1\n");
      assertEquals(await read(), "data: 1\n");
      await advance(time, 10_000);
      manager.send(["a"], "data: 2\n\n");
      assertEquals(await read(), "data: 2\n\n");
      await advance(time, 1_250);
      assertEquals(await read(), COMMENT);
      await manager.close();
    }),
  );

  it(
    "writes no second comment while the first is unread",
    usingFakeTime(async (time) => {
      const { manager } = createManager({ keepAliveMs: 1_000, backlog: false });
      const { controller, readToEnd } = openStream();
      manager.create("a", controller);
      await advance(time, 10_000);
      manager.delete("a");
      assertEquals(await readToEnd(), { text: COMMENT, end: "closed" });
    }),
  );

  it(
    "S11 writes no comment inside a frame that a replaced stream began",
    usingFakeTime(async (time) => {
      const { manager } = createManager({ keepAliveMs: 1_000 });
      manager.create("a", openStream().controller);
      manager.send(["a"], "data: 1\n\n");
      manager.send(["a"], "data: 2\n");
      const newer = openStream();
      manager.create("a", newer.controller);
      assertEquals(await newer.read(), "data: 2\n");
      await advance(time, 10_000);
      manager.send(["a"], "\n");
      assertEquals(await newer.read(), "\n");
      await manager.close();
    }),
  );

  it(
    "writes no comments when keepAliveMs is false",
    usingFakeTime(async (time) => {
      const { manager } = createManager({ keepAliveMs: false, backlog: false });
      const { controller, readToEnd } = openStream();
      manager.create("a", controller);
      assert(!time.next(), "A timer runs although nothing needs one.");
      await advance(time, 100_000);
      manager.delete("a");
      assertEquals((await readToEnd()).text, "");
    }),
  );

  it(
    "runs no timer while no stream is attached",
    usingFakeTime(async (time) => {
      const { manager } = createManager({ keepAliveMs: 1_000 });
      assert(!time.next());
      for (const cause of ["delete", "cancel", "fail", "evict", "close"]) {
        const stream = openStream({}, { cancel: () => manager.delete("a") });
        manager.create("a", stream.controller);
        manager.send(["a"], "x");
        await advance(time, 10);
        if (cause === "delete") manager.delete("a");
        if (cause === "cancel") await stream.reader.cancel();
        if (cause === "fail") {
          stream.controller.error(new Error("gone"));
          manager.send(["a"], "x");
        }
        if (cause === "evict") await advance(time, 100_000);
        if (cause === "close") await manager.close();
        await endOfTurn();
        assertEquals(manager.stats().attached, 0, cause);
        assert(!time.next(), `A timer still runs after "${cause}".`);
      }
    }),
  );
});
