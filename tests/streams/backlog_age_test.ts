import { DeliveryError } from "@crossmcp/session-manager";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "node:test";
import {
  advance,
  createManager,
  encode,
  openByteStream,
  openStream,
  shiftSystemClock,
  usingFakeTime,
} from "../support/streams.ts";

describe("Evicting readers by the age of their backlog", () => {
  for (const coalesce of [true, false]) {
    it(
      "S10 evicts a reader whose oldest unread frame is too old" +
        (coalesce ? "" : ", without coalescing"),
      usingFakeTime(async (time) => {
        const { manager, evicted, errors } = createManager({
          coalesce,
          keepAliveMs: false,
          backlog: { maxAgeMs: 4_000 },
        });
        const [stalled, slow, fast] = [
          openStream(),
          openByteStream(),
          openStream(),
        ];
        manager.create("stalled", stalled.controller);
        manager.create("slow", slow.controller);
        manager.create("fast", fast.controller);
        for (let second = 0; second < 10; second++) {
          manager.send(undefined, `${second}`);
          // "slow" is always three seconds behind.
          if (second >= 3) assertEquals(await slow.read(), `${second - 3}`);
          assertEquals(await fast.read(), `${second}`);
          const expected = second < 5 ? [] : [["stalled", "age"]];
          if (second !== 4) assertEquals(evicted, expected);
          await advance(time, 1_000);
        }
        const { text, end } = await stalled.readToEnd();
        assertEquals(text, "");
        assertInstanceOf(end, DeliveryError);
        assertEquals(manager.stats().evicted, { bytes: 0, age: 1 });
        await manager.close();
        assertEquals(await slow.readToEnd(), { text: "789", end: "closed" });
        assertEquals(errors, []);
      }),
    );
  }

  it(
    "S10 evicts a reader that does not read keep-alive comments",
    usingFakeTime(async (time) => {
      const { manager, evicted } = createManager({
        keepAliveMs: 1_000,
        backlog: { maxAgeMs: 4_000 },
      });
      manager.create("a", openStream().controller);
      await advance(time, 4_900);
      assertEquals(evicted, []);
      await advance(time, 600);
      assertEquals(evicted, [["a", "age"]]);
      assert(!time.next(), "A timer still runs.");
    }),
  );

  it(
    "evicts a reader that does not read what others enqueued",
    usingFakeTime(async (time) => {
      const { manager, evicted } = createManager({
        keepAliveMs: 1_000,
        backlog: { maxAgeMs: 4_000 },
      });
      const { controller } = openStream();
      manager.create("a", controller);
      controller.enqueue(encode("foreign"));
      await advance(time, 4_000);
      assertEquals(evicted, []);
      await advance(time, 2_000);
      assertEquals(evicted, [["a", "age"]]);
    }),
  );

  it(
    "does not count the time that the process was suspended",
    usingFakeTime(async (time) => {
      const { manager, evicted } = createManager({ keepAliveMs: false });
      const { controller, read } = openStream();
      manager.create("a", controller);
      manager.send(["a"], "unread");
      await advance(time, 1_000);
      const restore = shiftSystemClock(3_600_000);
      await advance(time, 10_000);
      restore();
      await advance(time, 10_000);
      assertEquals(evicted, []);
      assertEquals(await read(), "unread");
      await manager.close();
    }),
  );
});
