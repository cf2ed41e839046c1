import { SessionLimitError } from "@crossmcp/session-manager";
import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { describe, it } from "node:test";
import {
  type SessionRecord,
  SessionRecords,
} from "../../src/metadata/session_records.ts";
import { Scheduler } from "../../src/runtime/scheduler.ts";
import { shiftSystemClock, usingFakeTime } from "../support/streams.ts";

const IDLE = 10_000;

describe("SessionRecords", () => {
  it(
    "I8 forgets those that nobody has used for long, in that order",
    usingFakeTime(async (time) => {
      const { records, expired } = make();
      for (const id of ["a", "b", "c"]) {
        records.getOrCreate(id);
        await pass(time, 1_000);
      }
      records.touch("a");
      await pass(time, IDLE - 2_000);
      assertEquals(expired, ["b"]);
      records.touch("unknown");
      await pass(time, 1_000);
      assertEquals(expired, ["b", "c"]);
      records.getOrCreate("a");
      await pass(time, IDLE - 1_000);
      assertEquals(expired, ["b", "c"]);
      await pass(time, 1_000);
      assertEquals(expired, ["b", "c", "a"]);
      assert(!time.next(), "A timer runs for nobody.");
      assertEquals(records.touch("a"), undefined);
    }),
  );

  it(
    "keeps what is stored while it is used",
    usingFakeTime(async (time) => {
      const { records, expired } = make();
      const record = records.getOrCreate("a");
      record.logLevel = "info";
      for (let turn = 0; turn < 30; turn++) {
        await pass(time, IDLE - 1_000);
        assertStrictEquals(records.touch("a"), record);
      }
      assertEquals(expired, []);
      await pass(time, IDLE + 1_000);
      assertEquals(expired, ["a"]);
      assertNotStrictEquals(records.getOrCreate("a"), record);
      records.clear();
    }),
  );

  it(
    "I8 takes an open stream for use, and asks for no other session's",
    usingFakeTime(async (time) => {
      const open = new Set(["a"]);
      const asked: string[] = [];
      const { records, expired } = make({
        has: (id) => {
          asked.push(id);
          return Promise.resolve(open.has(id));
        },
      });
      records.getOrCreate("a");
      records.getOrCreate("b");
      await pass(time, IDLE - 1_000);
      records.getOrCreate("young");
      assertEquals(asked, []);
      await pass(time, 1_000);
      assertEquals([asked, expired], [["a", "b"], ["b"]]);
      open.delete("a");
      // It counts from when it was last seen to be open.
      await pass(time, IDLE - 1_000);
      assertEquals([asked, expired], [["a", "b", "young"], ["b", "young"]]);
      await pass(time, 1_000);
      assertEquals(expired, ["b", "young", "a"]);
    }),
  );

  it(
    "keeps those of which nobody can say whether they are in use",
    usingFakeTime(async (time) => {
      let fails = true;
      const { records, expired, errors } = make({
        has: (id) => {
          if (!fails) return Promise.resolve(false);
          if (id === "thrown") throw new Error("thrown");
          return Promise.reject(new Error("rejected"));
        },
      });
      records.getOrCreate("rejected");
      records.getOrCreate("thrown");
      await pass(time, IDLE);
      assertEquals(expired, []);
      assertEquals(errors.map(({ message }) => message).sort(), [
        "rejected",
        "thrown",
      ]);
      fails = false;
      await pass(time, IDLE);
      assertEquals(expired.sort(), ["rejected", "thrown"]);
    }),
  );

  it(
    "keeps what is used or stored anew while its stream is looked for",
    usingFakeTime(async (time) => {
      const answers: ((isOpen: boolean) => void)[] = [];
      const { records, expired } = make({
        has: () => new Promise((resolve) => answers.push(resolve)),
      });
      for (const id of ["used", "gone", "new", "idle"]) records.getOrCreate(id);
      await pass(time, IDLE);
      assertEquals(answers.length, 4);
      await pass(time, 5_000);
      assertEquals(answers.length, 4, "It asked again before it was answered.");
      records.touch("used");
      records.delete("gone");
      records.delete("new");
      const renewed = records.getOrCreate("new");
      for (const answer of answers.splice(0)) answer(false);
      await pass(time, 0);
      assertEquals(expired, ["idle"]);
      assertStrictEquals(records.touch("new"), renewed);
      assertEquals(records.touch("gone"), undefined);
      await pass(time, IDLE);
      for (const answer of answers.splice(0)) answer(false);
      await pass(time, 0);
      assertEquals(expired, ["idle", "used", "new"]);
    }),
  );

  it(
    "comes round to all of them, however many are idle",
    usingFakeTime(async (time) => {
      let asked = 0;
      const { records, expired } = make({
        has: (id) => {
          asked++;
          return Promise.resolve(Number(id) < 1_500);
        },
      });
      for (let id = 0; id < 3_000; id++) records.getOrCreate(`${id}`);
      await pass(time, IDLE);
      assert(asked > 0 && asked <= 1_000, `${asked} at once`);
      await pass(time, 2_000);
      assertEquals([asked, expired.length], [3_000, 1_500]);
      records.clear();
      assert(!time.next(), "A timer runs for nobody.");
    }),
  );

  it("refuses more than fit, and has room again", () => {
    const { records } = make(undefined, 2);
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
    "does not look where nothing is ever idle",
    usingFakeTime((time) => {
      const { records } = make(undefined, Infinity, Infinity);
      records.getOrCreate("a");
      assert(!time.next(), "A timer runs for nothing.");
      records.delete("a");
    }),
  );

  it(
    "takes nobody for idle because the clock was set",
    usingFakeTime(async (time) => {
      const { records, expired } = make();
      records.getOrCreate("a");
      await pass(time, 1_000);
      const restore = shiftSystemClock(100 * IDLE);
      await pass(time, 3_000);
      restore();
      await pass(time, 2_000);
      assertEquals(expired, []);
      records.clear();
    }),
  );
});

function make(
  streams?: { has(id: string): Promise<boolean> },
  maxSessions: number = Infinity,
  idleTimeoutMs: number = IDLE,
) {
  const expired: string[] = [];
  const errors: Error[] = [];
  const records = new SessionRecords(
    { idleTimeoutMs, maxSessions, streams },
    {
      newRecord: (usedAt): SessionRecord => ({ lastUsedAt: usedAt }),
      onExpire: (id) => expired.push(id),
      onError: (error) => errors.push(error),
    },
    new Scheduler(),
  );
  return { records, expired, errors };
}

/** Lets time pass, second by second, and what waits for answers go on. */
async function pass(time: FakeTime, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    time.tick(1_000);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await new Promise<void>((resolve) => setImmediate(resolve));
}
