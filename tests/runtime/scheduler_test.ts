import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  checkPeriodFor,
  type PeriodicTask,
  Scheduler,
  sharedScheduler,
} from "../../src/runtime/scheduler.ts";
import { shiftSystemClock, usingFakeTime } from "../support/streams.ts";

const HOUR = 3_600_000;

describe("Ticker", () => {
  it(
    "runs while there is something to watch",
    usingFakeTime((time) => {
      const ticker = new Scheduler();
      const [a, b] = [watcher(100), watcher(100)];
      assert(!time.next(), "A timer runs for nobody.");
      ticker.start(a);
      time.tick(250);
      ticker.start(b);
      ticker.start(b);
      time.tick(200);
      assertEquals([a.calls.length, b.calls.length], [4, 2]);
      ticker.stop(a);
      ticker.stop(a);
      time.tick(100);
      assertEquals([a.calls.length, b.calls.length], [4, 3]);
      ticker.stop(b);
      assert(!time.next(), "A timer runs for nobody.");
      assertEquals(b.calls.length, 3);
      ticker.start(a);
      time.tick(100);
      assertEquals(a.calls.length, 5);
      ticker.stop(a);
    }),
  );

  it(
    "runs as often as the one needs that needs it most",
    usingFakeTime((time) => {
      const ticker = new Scheduler();
      const [often, rarely, never] = [
        watcher(100),
        watcher(1_000),
        watcher(Infinity),
      ];
      ticker.start(never);
      assert(!time.next(), "A timer runs for nothing.");
      ticker.start(rarely);
      time.tick(1_000);
      assertEquals(rarely.calls.length, 1);
      ticker.start(often);
      time.tick(1_000);
      assertEquals([often.calls.length, rarely.calls.length], [10, 11]);
      ticker.stop(often);
      time.tick(10_000);
      const { length } = rarely.calls;
      assert(length >= 20 && length <= 22, `${length - 11} times in 10 s`);
      assertEquals(often.calls.length, 10);
      assertEquals(never.calls, []);
      ticker.stop(rarely);
    }),
  );

  it(
    "comes round although others come and go all the time",
    usingFakeTime((time) => {
      const ticker = new Scheduler();
      const [steady, fleeting] = [watcher(1_000), watcher(250)];
      ticker.start(steady);
      for (let turn = 0; turn < 100; turn++) {
        ticker.start(fleeting);
        time.tick(100);
        ticker.stop(fleeting);
        time.tick(100);
      }
      const { length } = steady.calls;
      assert(length >= 15, `It was called ${length} times in 20 s.`);
      ticker.stop(steady);
    }),
  );

  it(
    "calls those that were there when it began to",
    usingFakeTime((time) => {
      const ticker = new Scheduler();
      const late = watcher(100);
      const starting = watcher(100, () => {
        ticker.start(late);
        ticker.stop(starting);
      });
      ticker.start(starting);
      time.tick(100);
      assertEquals([starting.calls.length, late.calls.length], [1, 0]);
      time.tick(100);
      assertEquals([starting.calls.length, late.calls.length], [1, 1]);
      ticker.stop(late);
      assert(!time.next(), "A timer runs for nobody.");
    }),
  );

  it(
    "has a clock that goes while it runs",
    usingFakeTime((time) => {
      const ticker = new Scheduler();
      const start = ticker.now();
      time.tick(5_000);
      assertEquals(ticker.now(), start, "Nobody has watched it.");
      const watching = watcher(100);
      ticker.start(watching);
      time.tick(50);
      assertEquals(ticker.now() - start, 50);
      time.tick(950);
      assertEquals(ticker.now() - start, 1_000);
      assertEquals(watching.calls.at(-1), ticker.now());
      ticker.stop(watching);
      time.tick(HOUR);
      assertEquals(ticker.now() - start, 1_000);
      ticker.start(watching);
      time.tick(100);
      assertEquals(ticker.now() - start, 1_100);
      ticker.stop(watching);
    }),
  );

  it(
    "takes no leap forwards for time that has passed",
    usingFakeTime((time) => {
      const ticker = new Scheduler();
      const watching = watcher(1_000);
      ticker.start(watching);
      time.tick(3_000);
      const before = ticker.now();
      // The machine sleeps, and its timers with it.
      const restore = shiftSystemClock(HOUR);
      assert(ticker.now() - before <= 2_000, "It counts a night's sleep.");
      time.tick(1_000);
      assert(ticker.now() - before <= 3_000);
      restore();
      ticker.stop(watching);
    }),
  );

  it(
    "takes no leap backwards, and goes on after one",
    usingFakeTime((time) => {
      const ticker = new Scheduler();
      const watching = watcher(1_000);
      ticker.start(watching);
      time.tick(3_000);
      const before = ticker.now();
      const restore = shiftSystemClock(-HOUR);
      assertEquals(ticker.now(), before);
      time.tick(5_000);
      const passed = ticker.now() - before;
      assert(passed > 3_000 && passed <= 5_000, `${passed} of 5000 ms`);
      restore();
      ticker.stop(watching);
    }),
  );

  it(
    "does not count a blocked event loop, however often it is asked",
    usingFakeTime((time) => {
      const ticker = new Scheduler();
      const watching = watcher(1_000);
      ticker.start(watching);
      time.tick(1_000);
      const before = ticker.now();
      for (let blocked = 0; blocked < 40_000; blocked += 100) {
        const restore = shiftSystemClock(blocked);
        ticker.now();
        restore();
      }
      const passed = ticker.now() - before;
      assert(passed <= 2_000, `It was blocked, and counted ${passed} ms.`);
      ticker.stop(watching);
    }),
  );

  it("is the same for all who ask for that of an object", () => {
    const [a, b] = [{}, {}];
    assertStrictEquals(sharedScheduler(a), sharedScheduler(a));
    assert(sharedScheduler(a) !== sharedScheduler(b));
  });

  it("looks four times as often as something lasts, within limits", () => {
    assertEquals(
      [
        checkPeriodFor(2_000),
        checkPeriodFor(30_000, 400),
        checkPeriodFor(7_200_000),
        checkPeriodFor(1),
        checkPeriodFor(Infinity, Infinity),
        checkPeriodFor(Infinity, 4_000),
      ],
      [500, 100, 1_000, 10, Infinity, 1_000],
    );
  });
});

/** One that notes when it is called. */
function watcher(
  periodMs: number,
  then: () => void = () => {},
): PeriodicTask & { calls: number[] } {
  const calls: number[] = [];
  return {
    periodMs,
    calls,
    run: (now) => {
      calls.push(now);
      then();
    },
  };
}
