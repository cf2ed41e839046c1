import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { FakeTime } from "@std/testing/time";

/** Returns a test that runs with fake time. */
function usingFakeTime(run: (time: FakeTime) => void | Promise<void>) {
  return async () => {
    const time = new FakeTime(1_000);
    try {
      await run(time);
    } finally {
      time.restore();
    }
  };
}

describe("FakeTime", () => {
  it(
    "stands still until the clock is moved",
    usingFakeTime((time) => {
      assertEquals(time.now, 1_000);
      time.tick(500);
      assertEquals([time.now, Date.now(), new Date().getTime()], [
        1_500,
        1_500,
        1_500,
      ]);
      assertEquals(new Date(7).getTime(), 7);
      assert(new Date() instanceof Date);
      assertThrows(() => time.now = 1_499, RangeError);
    }),
  );

  it(
    "runs timers in the order in which they are due, each at its time",
    usingFakeTime((time) => {
      const ran: string[] = [];
      const record = (name: string) => ran.push(`${name} ${Date.now()}`);
      setTimeout(record, 20, "late");
      setTimeout(record, 10, "early");
      setTimeout(record, 10, "equal");
      time.tick(9);
      assertEquals(ran, []);
      time.tick(11);
      assertEquals(ran, ["early 1010", "equal 1010", "late 1020"]);
    }),
  );

  it(
    "runs timers that are set by timers within the same tick",
    usingFakeTime((time) => {
      const ran: number[] = [];
      const repeat = () => {
        ran.push(Date.now());
        setTimeout(repeat, 10);
      };
      setTimeout(repeat, 10);
      time.tick(30);
      assertEquals(ran, [1_010, 1_020, 1_030]);
    }),
  );

  it(
    "repeats an interval until it is cleared",
    usingFakeTime((time) => {
      let ran = 0;
      const interval = setInterval(() => {
        if (++ran === 3) clearInterval(interval);
      }, 10);
      const never = setTimeout(() => ran = 100, 15);
      clearTimeout(never);
      time.tick(100);
      assertEquals(ran, 3);
    }),
  );

  it(
    "stops at a timer that throws",
    usingFakeTime((time) => {
      setTimeout(() => {
        throw new Error("expected");
      }, 10);
      assertThrows(() => time.tick(20), Error, "expected");
      assertEquals(time.now, 1_010);
    }),
  );

  it(
    "tickAsync and nextAsync wait for pending promises",
    usingFakeTime(async (time) => {
      let ran = false;
      Promise.resolve().then(() => setTimeout(() => ran = true, 10));
      await time.tickAsync(10);
      assert(ran);
      setTimeout(() => {}, 5);
      assert(await time.nextAsync());
      assertEquals(time.now, 1_015);
      assertEquals(time.next(), false);
    }),
  );

  it(
    "aborts the signals of AbortSignal.timeout",
    usingFakeTime((time) => {
      const signal = AbortSignal.timeout(10);
      time.tick(9);
      assertEquals(signal.aborted, false);
      time.tick(1);
      assertEquals(signal.reason.name, "TimeoutError");
    }),
  );

  it("restores the real timers", () => {
    const real = [setTimeout, clearTimeout, setInterval, clearInterval, Date];
    const time = new FakeTime("2026-01-01T00:00:00Z");
    assertEquals(time.now, Date.UTC(2026, 0));
    assertEquals(time.start, time.now);
    assertThrows(() => new FakeTime());
    time[Symbol.dispose]();
    assertEquals(
      real,
      [setTimeout, clearTimeout, setInterval, clearInterval, Date],
    );
    assertThrows(() => time.restore());
  });
});
