import {
  DeliveryError,
  InMemoryStreamSessionManager,
  type InMemoryStreamSessionManagerOptions,
} from "@crossmcp/session-manager";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { describe, it } from "node:test";
import {
  bytesOf,
  endOfTurn,
  faked,
  leap,
  open,
  openBytes,
} from "../support/streams.ts";

const COMMENT = ": keep-alive\n\n";

describe("LocalStreams, as time goes by", () => {
  it(
    "S11 keeps those alive that are idle, again and again",
    faked(async (time) => {
      const { manager } = make({ keepAliveMs: 1_000 });
      const [idle, busy] = [open(), open()];
      manager.create("idle", idle.controller);
      manager.create("busy", busy.controller);
      for (let turn = 0; turn < 4; turn++) {
        await pass(time, 500);
        manager.send(["busy"], "data: x\n\n");
        assertEquals(await busy.read(), "data: x\n\n");
      }
      assertEquals(await idle.read(), COMMENT);
      await pass(time, 1_250);
      assertEquals(await idle.read(), COMMENT);
      assertEquals(await busy.read(), COMMENT);
      await manager.close();
      assertEquals(await idle.rest(), { text: "", end: "closed" });
      assert(!time.next(), "A timer still runs.");
    }),
  );

  it(
    "S11 writes no comment into a frame, nor where one is unread",
    faked(async (time) => {
      const { manager } = make({ keepAliveMs: 1_000, backlog: false });
      const [half, slow] = [open(), open()];
      manager.create("half", half.controller);
      manager.create("slow", slow.controller);
      manager.send(["half"], "data: 1\n");
      assertEquals(await half.read(), "data: 1\n");
      await pass(time, 10_000);
      manager.send(["half"], "data: 2\n\n");
      assertEquals(await half.read(), "data: 2\n\n");
      await pass(time, 1_250);
      assertEquals(await half.read(), COMMENT);
      manager.delete("slow");
      // One comment is enough for those that do not read.
      assertEquals(await slow.rest(), { text: COMMENT, end: "closed" });
      await manager.close();
    }),
  );

  it(
    "S11 remembers a frame that began on the stream before",
    faked(async (time) => {
      const { manager } = make({ keepAliveMs: 1_000 });
      manager.create("a", open().controller);
      manager.send(["a"], "data: 1\n\n");
      manager.send(["a"], "data: 2\n");
      const newer = open();
      manager.create("a", newer.controller);
      assertEquals(await newer.read(), "data: 2\n");
      await pass(time, 10_000);
      manager.send(["a"], "\n");
      assertEquals(await newer.read(), "\n");
      await manager.close();
    }),
  );

  it(
    "writes no comment when it is told not to",
    faked(async (time) => {
      const { manager } = make({ keepAliveMs: false, backlog: false });
      const { controller, rest } = open();
      manager.create("a", controller);
      assert(!time.next(), "A timer runs for nothing.");
      await pass(time, 100_000);
      manager.delete("a");
      assertEquals((await rest()).text, "");
    }),
  );

  for (const coalesce of [true, false]) {
    it(
      `S10 breaks off who reads nothing for long, coalesce: ${coalesce}`,
      faked(async (time) => {
        const { manager, evicted, errors } = make({
          coalesce,
          keepAliveMs: false,
          backlog: { maxAgeMs: 4_000 },
        });
        const [stalled, slow, brisk] = [open(), openBytes(), open()];
        manager.create("stalled", stalled.controller);
        manager.create("slow", slow.controller);
        manager.create("brisk", brisk.controller);
        for (let second = 0; second < 10; second++) {
          manager.send(undefined, `${second}`);
          // "slow" is three seconds behind, and stays so.
          if (second >= 3) assertEquals(await slow.read(), `${second - 3}`);
          assertEquals(await brisk.read(), `${second}`);
          const expected = second < 5 ? [] : [["stalled", "age"]];
          if (second !== 4) assertEquals(evicted, expected);
          await pass(time, 1_000);
        }
        const { text, end } = await stalled.rest();
        assertEquals(text, "");
        assertInstanceOf(end, DeliveryError);
        assertEquals(manager.stats().evicted, { bytes: 0, age: 1 });
        await manager.close();
        assertEquals(await slow.rest(), { text: "789", end: "closed" });
        assertEquals(errors, []);
      }),
    );
  }

  it(
    "S10 breaks off who does not even read a comment",
    faked(async (time) => {
      const { manager, evicted } = make({
        keepAliveMs: 1_000,
        backlog: { maxAgeMs: 4_000 },
      });
      manager.create("a", open().controller);
      await pass(time, 4_900);
      assertEquals(evicted, []);
      await pass(time, 600);
      assertEquals(evicted, [["a", "age"]]);
      assert(!time.next(), "A timer still runs.");
    }),
  );

  it(
    "lets what others write get old as well",
    faked(async (time) => {
      const { manager, evicted } = make({
        keepAliveMs: 1_000,
        backlog: { maxAgeMs: 4_000 },
      });
      const { controller } = open();
      manager.create("a", controller);
      controller.enqueue(bytesOf("not the manager's"));
      await pass(time, 4_000);
      assertEquals(evicted, []);
      await pass(time, 2_000);
      assertEquals(evicted, [["a", "age"]]);
    }),
  );

  it(
    "ages nobody while the process is asleep",
    faked(async (time) => {
      const { manager, evicted } = make({ keepAliveMs: false });
      const { controller, read } = open();
      manager.create("a", controller);
      manager.send(["a"], "unread");
      await pass(time, 1_000);
      const restore = leap(3_600_000);
      await pass(time, 10_000);
      restore();
      await pass(time, 10_000);
      assertEquals(evicted, []);
      assertEquals(await read(), "unread");
      await manager.close();
    }),
  );

  it(
    "runs no timer without streams",
    faked(async (time) => {
      const { manager } = make({ keepAliveMs: 1_000 });
      assert(!time.next());
      for (const way of ["delete", "cancel", "fail", "evict", "close"]) {
        const stream = open({}, { cancel: () => manager.delete("a") });
        manager.create("a", stream.controller);
        manager.send(["a"], "x");
        await pass(time, 10);
        if (way === "delete") manager.delete("a");
        if (way === "cancel") await stream.reader.cancel();
        if (way === "fail") {
          stream.controller.error(new Error("gone"));
          manager.send(["a"], "x");
        }
        if (way === "evict") await pass(time, 100_000);
        if (way === "close") await manager.close();
        await endOfTurn();
        assertEquals(manager.stats().attached, 0, way);
        assert(!time.next(), `A timer still runs after "${way}".`);
      }
    }),
  );
});

function make(options: InMemoryStreamSessionManagerOptions) {
  const errors: Error[] = [];
  const evicted: [id: string, reason: string][] = [];
  const manager = new InMemoryStreamSessionManager({
    ...options,
    onError: (error) => errors.push(error),
    onEvict: (id, reason) => evicted.push([id, reason]),
  });
  return { manager, errors, evicted };
}

/** Lets time pass in small steps, and what waits for streams go on. */
async function pass(time: FakeTime, ms: number): Promise<void> {
  await endOfTurn();
  for (let left = ms; left > 0; left -= 50) {
    time.tick(Math.min(left, 50));
    if (left % 500 === 0) await endOfTurn();
  }
  await endOfTurn();
}
