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

describe("Scheduler", () => {
  it(
    "runs a timer only while a task is started",
    usingFakeTime((time) => {
      const scheduler = new Scheduler();
      const [a, b] = [createTask(100), createTask(100)];
      assert(!time.next(), "A timer is still running.");
      scheduler.start(a);
      time.tick(250);
      scheduler.start(b);
      scheduler.start(b);
      time.tick(200);
      assertEquals([a.runs.length, b.runs.length], [4, 2]);
      scheduler.stop(a);
      scheduler.stop(a);
      time.tick(100);
      assertEquals([a.runs.length, b.runs.length], [4, 3]);
      scheduler.stop(b);
      assert(!time.next(), "A timer is still running.");
      assertEquals(b.runs.length, 3);
      scheduler.start(a);
      time.tick(100);
      assertEquals(a.runs.length, 5);
      scheduler.stop(a);
    }),
  );

  it(
    "runs as often as the task with the shortest period needs",
    usingFakeTime((time) => {
      const scheduler = new Scheduler();
      const [frequent, rare, never] = [
        createTask(100),
        createTask(1_000),
        createTask(Infinity),
      ];
      scheduler.start(never);
      assert(!time.next(), "A timer is running.");
      scheduler.start(rare);
      time.tick(1_000);
      assertEquals(rare.runs.length, 1);
      scheduler.start(frequent);
      time.tick(1_000);
      assertEquals([frequent.runs.length, rare.runs.length], [10, 11]);
      scheduler.stop(frequent);
      time.tick(10_000);
      const { length } = rare.runs;
      assert(length >= 20 && length <= 22, `${length - 11} times in 10 s`);
      assertEquals(frequent.runs.length, 10);
      assertEquals(never.runs, []);
      scheduler.stop(rare);
    }),
  );

  it(
    "runs a task although others start and stop all the time",
    usingFakeTime((time) => {
      const scheduler = new Scheduler();
      const [steady, brief] = [createTask(1_000), createTask(250)];
      scheduler.start(steady);
      for (let turn = 0; turn < 100; turn++) {
        scheduler.start(brief);
        time.tick(100);
        scheduler.stop(brief);
        time.tick(100);
      }
      const { length } = steady.runs;
      assert(length >= 15, `It ran ${length} times in 20 s.`);
      scheduler.stop(steady);
    }),
  );

  it(
    "runs a task that was started during a run in the next one",
    usingFakeTime((time) => {
      const scheduler = new Scheduler();
      const late = createTask(100);
      const starter = createTask(100, () => {
        scheduler.start(late);
        scheduler.stop(starter);
      });
      scheduler.start(starter);
      time.tick(100);
      assertEquals([starter.runs.length, late.runs.length], [1, 0]);
      time.tick(100);
      assertEquals([starter.runs.length, late.runs.length], [1, 1]);
      scheduler.stop(late);
      assert(!time.next(), "A timer is still running.");
    }),
  );

  it(
    "has a clock that advances only while a task is started",
    usingFakeTime((time) => {
      const scheduler = new Scheduler();
      const start = scheduler.now();
      time.tick(5_000);
      assertEquals(
        scheduler.now(),
        start,
        "The clock advanced without a task.",
      );
      const task = createTask(100);
      scheduler.start(task);
      time.tick(50);
      assertEquals(scheduler.now() - start, 50);
      time.tick(950);
      assertEquals(scheduler.now() - start, 1_000);
      assertEquals(task.runs.at(-1), scheduler.now());
      scheduler.stop(task);
      time.tick(HOUR);
      assertEquals(scheduler.now() - start, 1_000);
      scheduler.start(task);
      time.tick(100);
      assertEquals(scheduler.now() - start, 1_100);
      scheduler.stop(task);
    }),
  );

  it(
    "does not follow a system clock that jumps forward",
    usingFakeTime((time) => {
      const scheduler = new Scheduler();
      const task = createTask(1_000);
      scheduler.start(task);
      time.tick(3_000);
      const before = scheduler.now();
      // The machine is suspended, and timers do not fire.
      const restore = shiftSystemClock(HOUR);
      assert(
        scheduler.now() - before <= 2_000,
        "The suspended time was counted.",
      );
      time.tick(1_000);
      assert(scheduler.now() - before <= 3_000);
      restore();
      scheduler.stop(task);
    }),
  );

  it(
    "keeps advancing after the system clock jumps backward",
    usingFakeTime((time) => {
      const scheduler = new Scheduler();
      const task = createTask(1_000);
      scheduler.start(task);
      time.tick(3_000);
      const before = scheduler.now();
      const restore = shiftSystemClock(-HOUR);
      assertEquals(scheduler.now(), before);
      time.tick(5_000);
      const passed = scheduler.now() - before;
      assert(passed > 3_000 && passed <= 5_000, `${passed} of 5000 ms`);
      restore();
      scheduler.stop(task);
    }),
  );

  it(
    "does not count the time of a blocked event loop",
    usingFakeTime((time) => {
      const scheduler = new Scheduler();
      const task = createTask(1_000);
      scheduler.start(task);
      time.tick(1_000);
      const before = scheduler.now();
      for (let blocked = 0; blocked < 40_000; blocked += 100) {
        const restore = shiftSystemClock(blocked);
        scheduler.now();
        restore();
      }
      const passed = scheduler.now() - before;
      assert(
        passed <= 2_000,
        `The clock advanced by ${passed} ms while blocked.`,
      );
      scheduler.stop(task);
    }),
  );

  it("sharedScheduler returns one scheduler for each object", () => {
    const [a, b] = [{}, {}];
    assertStrictEquals(sharedScheduler(a), sharedScheduler(a));
    assert(sharedScheduler(a) !== sharedScheduler(b));
  });

  it("checkPeriodFor returns a quarter of the shortest duration, within limits", () => {
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

/** Creates a task that records the times of its runs. */
function createTask(
  periodMs: number,
  action: () => void = () => {},
): PeriodicTask & { runs: number[] } {
  const runs: number[] = [];
  return {
    periodMs,
    runs,
    run: (now) => {
      runs.push(now);
      action();
    },
  };
}
