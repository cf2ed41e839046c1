import { SessionLimitError } from "@crossmcp/session-manager";
import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { describe, it } from "node:test";
import {
  type SessionRecord,
  SessionRecords,
} from "../../src/metadata/session_records.ts";
import { Scheduler } from "../../src/runtime/scheduler.ts";
import {
  advance,
  shiftSystemClock,
  usingFakeTime,
} from "../support/streams.ts";

const IDLE = 10_000;

describe("SessionRecords", () => {
  it(
    "I8 expires idle sessions in the order of their last use",
    usingFakeTime(async (time) => {
      const { records, expired } = createRecords();
      for (const id of ["a", "b", "c"]) {
        records.getOrCreate(id);
        await advance(time, 1_000);
      }
      records.touch("a");
      await advance(time, IDLE - 2_000);
      assertEquals(expired, ["b"]);
      records.touch("unknown");
      await advance(time, 1_000);
      assertEquals(expired, ["b", "c"]);
      records.getOrCreate("a");
      await advance(time, IDLE - 1_000);
      assertEquals(expired, ["b", "c"]);
      await advance(time, 1_000);
      assertEquals(expired, ["b", "c", "a"]);
      assert(!time.next(), "A timer is still running.");
      assertEquals(records.touch("a"), undefined);
    }),
  );

  it(
    "keeps the record of a session that is in use",
    usingFakeTime(async (time) => {
      const { records, expired } = createRecords();
      const record = records.getOrCreate("a");
      record.logLevel = "info";
      for (let i = 0; i < 30; i++) {
        await advance(time, IDLE - 1_000);
        assertStrictEquals(records.touch("a"), record);
      }
      assertEquals(expired, []);
      await advance(time, IDLE + 1_000);
      assertEquals(expired, ["a"]);
      assertNotStrictEquals(records.getOrCreate("a"), record);
      records.clear();
    }),
  );

  it(
    "I8 keeps sessions with an open stream, and checks only idle ones",
    usingFakeTime(async (time) => {
      const open = new Set(["a"]);
      const checked: string[] = [];
      const { records, expired } = createRecords({
        has: (id) => {
          checked.push(id);
          return Promise.resolve(open.has(id));
        },
      });
      records.getOrCreate("a");
      records.getOrCreate("b");
      await advance(time, IDLE - 1_000);
      records.getOrCreate("young");
      assertEquals(checked, []);
      await advance(time, 1_000);
      assertEquals([checked, expired], [["a", "b"], ["b"]]);
      open.delete("a");
      // The idle time counts from the last check that found the stream open.
      await advance(time, IDLE - 1_000);
      assertEquals([checked, expired], [["a", "b", "young"], ["b", "young"]]);
      await advance(time, 1_000);
      assertEquals(expired, ["b", "young", "a"]);
    }),
  );

  it(
    "keeps sessions whose streams cannot be checked",
    usingFakeTime(async (time) => {
      let fails = true;
      const { records, expired, errors } = createRecords({
        has: (id) => {
          if (!fails) return Promise.resolve(false);
          if (id === "thrown") throw new Error("thrown");
          return Promise.reject(new Error("rejected"));
        },
      });
      records.getOrCreate("rejected");
      records.getOrCreate("thrown");
      await advance(time, IDLE);
      assertEquals(expired, []);
      assertEquals(errors.map(({ message }) => message).sort(), [
        "rejected",
        "thrown",
      ]);
      fails = false;
      await advance(time, IDLE);
      assertEquals(expired.sort(), ["rejected", "thrown"]);
    }),
  );

  it(
    "keeps sessions that are used or created again during the check",
    usingFakeTime(async (time) => {
      const responses: ((isOpen: boolean) => void)[] = [];
      const { records, expired } = createRecords({
        has: () => new Promise((resolve) => responses.push(resolve)),
      });
      for (const id of ["used", "gone", "new", "idle"]) records.getOrCreate(id);
      await advance(time, IDLE);
      assertEquals(responses.length, 4);
      await advance(time, 5_000);
      assertEquals(
        responses.length,
        4,
        "A second check started before the first one ended.",
      );
      records.touch("used");
      records.delete("gone");
      records.delete("new");
      const recreated = records.getOrCreate("new");
      for (const respond of responses.splice(0)) respond(false);
      await advance(time, 0);
      assertEquals(expired, ["idle"]);
      assertStrictEquals(records.touch("new"), recreated);
      assertEquals(records.touch("gone"), undefined);
      await advance(time, IDLE);
      for (const respond of responses.splice(0)) respond(false);
      await advance(time, 0);
      assertEquals(expired, ["idle", "used", "new"]);
    }),
  );

  it(
    "L1 checks all idle sessions at once, at most 1,000 at a time",
    usingFakeTime(async (time) => {
      let checked = 0;
      let pending = 0;
      let mostPending = 0;
      const { records, expired } = createRecords({
        has: async (id) => {
          checked++;
          mostPending = Math.max(mostPending, ++pending);
          await Promise.resolve();
          pending--;
          return Number(id) < 1_500;
        },
      });
      for (let id = 0; id < 3_000; id++) records.getOrCreate(`${id}`);
      await advance(time, IDLE);
      await until(() => expired.length === 1_500, "they expire");
      assert(mostPending <= 1_000, `${mostPending} at a time`);
      assert(checked >= 3_000, `${checked} were checked`);
      await advance(time, 1_000);
      assertEquals(expired.length, 1_500);
      records.clear();
      assert(!time.next(), "A timer is still running.");
    }),
  );

  it(
    "L1 other events don't wait for a long sweep",
    usingFakeTime(async (time) => {
      const { records, expired } = createRecords(undefined, Infinity, IDLE, 1);
      for (let id = 0; id < 100; id++) records.getOrCreate(`${id}`);
      await advance(time, IDLE - 500);
      time.tick(500);
      const seen = new Set<number>();
      await until(() => seen.add(expired.length).has(100), "they expire");
      // Each takes a millisecond.
      assert(seen.size > 3, `It was done after ${seen.size - 1} turns.`);
      assertEquals(records.get("99"), undefined);
    }),
  );

  it("throws beyond maxSessions, until a session is deleted", () => {
    const { records } = createRecords(undefined, 2);
    records.getOrCreate("a");
    records.getOrCreate("b");
    assertThrows(() => records.getOrCreate("c"), SessionLimitError);
    assertEquals(records.touch("c"), undefined);
    records.getOrCreate("a");
    records.delete("a");
    records.delete("a");
    records.getOrCreate("c");
    assertThrows(() => records.getOrCreate("a"), SessionLimitError);
    records.clear();
    records.getOrCreate("a");
    records.clear();
  });

  it(
    "runs no timer if sessions never expire",
    usingFakeTime((time) => {
      const { records } = createRecords(undefined, Infinity, Infinity);
      records.getOrCreate("a");
      assert(!time.next(), "A timer is running.");
      records.delete("a");
    }),
  );

  it(
    "ignores changes of the system clock",
    usingFakeTime(async (time) => {
      const { records, expired } = createRecords();
      records.getOrCreate("a");
      await advance(time, 1_000);
      const restore = shiftSystemClock(100 * IDLE);
      await advance(time, 3_000);
      restore();
      await advance(time, 2_000);
      assertEquals(expired, []);
      records.clear();
    }),
  );
});

/** Waits for a condition in later turns of the event loop, without timers. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5_000;
  while (!condition()) {
    assert(performance.now() < end, `Waited too long until ${what}.`);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

function createRecords(
  streams?: { has(id: string): Promise<boolean> },
  maxSessions: number = Infinity,
  idleTimeoutMs: number = IDLE,
  busyMs: number = 0,
) {
  const expired: string[] = [];
  const errors: Error[] = [];
  const records = new SessionRecords(
    {
      idleTimeoutMs,
      maxSessions,
      maxSessionsPerPrincipal: Infinity,
      maxSubscriptionsPerSession: Infinity,
      streams,
    },
    {
      newRecord: (usedAt): SessionRecord => ({ lastUsedAt: usedAt }),
      onExpire: (id) => {
        const end = performance.now() + busyMs;
        while (performance.now() < end);
        expired.push(id);
      },
      onError: (error) => errors.push(error),
    },
    new Scheduler(),
  );
  return { records, expired, errors };
}
