import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { newEvent } from "../../src/redis/log/log_codec.ts";
import { RecentAppends } from "../../src/redis/log/recent_appends.ts";
import { usingFakeTime } from "../support/streams.ts";

const HEARTBEAT_MS = 100;

/** Returns the sequence numbers of the events that would be republished. */
function numbersOf(recent: RecentAppends): number[] {
  return recent.all().map(({ seq }) => seq);
}

describe("RecentAppends", () => {
  it(
    "R1 forgets old events also if nothing is appended after them",
    usingFakeTime((time) => {
      const recent = new RecentAppends(HEARTBEAT_MS);
      recent.add([newEvent(1, undefined, "one")], 1);
      time.tick(15 * HEARTBEAT_MS);
      recent.add([newEvent(2, undefined, "two")], 2);
      recent.forgetOld();
      assertEquals(numbersOf(recent), [1, 2]);
      time.tick(10 * HEARTBEAT_MS);
      recent.forgetOld();
      assertEquals(numbersOf(recent), [2]);
      assertEquals(recent.oldest, 2);
      // During an outage, nothing is forgotten.
      time.tick(100 * HEARTBEAT_MS);
      assertEquals(recent.take().map(({ seq }) => seq), [2]);
      assertEquals(numbersOf(recent), []);
    }),
  );
});
