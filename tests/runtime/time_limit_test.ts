import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { TimeLimit } from "../../src/runtime/deadline.ts";
import { Scheduler } from "../../src/runtime/scheduler.ts";
import { usingFakeTime } from "../support/streams.ts";

const TIMEOUT_MS = 400;
const never = () => new Promise<string>(() => {});

describe("TimeLimit", () => {
  it("passes on what arrives in time", async () => {
    const limit = new TimeLimit(TIMEOUT_MS, new Scheduler());
    assertEquals(await limit.wait(Promise.resolve("text")), "text");
    const failed = Promise.reject(new Error("cut off"));
    await assertRejects(() => limit.wait(failed), Error, "cut off");
    limit.close();
  });

  it(
    "gives up on each promise after its own time, with one timer",
    usingFakeTime(async (time) => {
      const limit = new TimeLimit(TIMEOUT_MS, new Scheduler());
      const over: string[] = [];
      const start = (name: string) =>
        limit.wait(never()).then((result) => {
          assertEquals(result, undefined);
          over.push(name);
        });
      void start("first");
      await time.tickAsync(200);
      void start("second");
      await time.tickAsync(100);
      assertEquals(over, []);
      await time.tickAsync(200);
      assertEquals(over, ["first"]);
      await time.tickAsync(200);
      assertEquals(over, ["first", "second"]);
      await time.tickAsync(TIMEOUT_MS);
      assert(!time.next(), "A timer still runs.");
    }),
  );

  it(
    "has no timer once it is closed and nothing waits",
    usingFakeTime(async (time) => {
      const limit = new TimeLimit(TIMEOUT_MS, new Scheduler());
      await limit.wait(Promise.resolve());
      limit.close();
      assert(!time.next(), "A timer still runs.");
      const waiting = limit.wait(never());
      limit.close();
      await time.tickAsync(2 * TIMEOUT_MS);
      assertEquals(await waiting, undefined);
      assert(!time.next(), "A timer still runs.");
    }),
  );
});
