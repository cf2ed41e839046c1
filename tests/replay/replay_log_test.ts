import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { describe, it } from "node:test";
import { ReplayLog } from "../../src/replay/replay_log.ts";
import type { Recipients } from "../../src/replay/recipients.ts";
import { encode } from "../support/streams.ts";

const NO_LIMITS = {
  maxEvents: Infinity,
  maxBytes: Infinity,
  maxAgeMs: Infinity,
  maxShare: 1,
};

describe("ReplayLog", () => {
  it("S14 returns the later events of a session, and none of other sessions", () => {
    const log = createLog(NO_LIMITS, [
      [undefined, "1"],
      ["a", "2"],
      [new Set(["a", "b"]), "3"],
      ["b", "4"],
      [undefined, "5"],
      [new Set(["c"]), "6"],
    ]);
    assertEquals(missed(log, "a", 0), ["1", "2", "3", "5"]);
    assertEquals(missed(log, "a", 2), ["3", "5"]);
    assertEquals(missed(log, "b", 0), ["1", "3", "4", "5"]);
    assertEquals(missed(log, "c", 4), ["5", "6"]);
    assertEquals(missed(log, "d", 4), ["5"]);
    for (const session of ["a", "b", "c", "d"]) {
      assertEquals(missed(log, session, 6), []);
    }
  });

  it("S16 keeps the order of events with the same timestamp", () => {
    const log = createLog(NO_LIMITS, []);
    for (let event = 1; event <= 100; event++) {
      log.append(undefined, encode(`${event}`), 7);
      assertEquals(missed(log, "a", event - 1), [`${event}`]);
      assertEquals(missed(log, "a", event), []);
    }
    assertEquals(
      missed(log, "a", 0),
      Array.from({ length: 100 }, (_, index) => `${index + 1}`),
    );
  });

  it("returns the latest and the next event ID", () => {
    const log = new ReplayLog(NO_LIMITS);
    assertMatch(log.latestEventId, /^[0-9a-f]{16}-0$/);
    assertEquals(log.nextEventId, eventIdAt(log, 1));
    log.append(undefined, encode("1"), 0);
    assertEquals([log.latestEventId, log.nextEventId], [
      eventIdAt(log, 1),
      eventIdAt(log, 2),
    ]);
    assertNotEquals(new ReplayLog(NO_LIMITS).latestEventId, eventIdAt(log, 0));
  });

  it("S17 is limited by maxEvents", () => {
    const log = createLog({ ...NO_LIMITS, maxEvents: 3 }, broadcasts(5));
    assertEquals(missed(log, "a", 2), ["3", "4", "5"]);
    assertEquals(missed(log, "a", 1), "purged");
  });

  it("S17 is limited by maxBytes, which includes the recipients", () => {
    const three = createLog({ ...NO_LIMITS, maxBytes: 3 }, broadcasts(5));
    assertEquals(missed(three, "a", 2), ["3", "4", "5"]);
    assertEquals(missed(three, "a", 1), "purged");
    const both = new Set(["a", "b"]);
    const named = createLog({ ...NO_LIMITS, maxBytes: 2 * 129 }, [
      [both, "1"],
      [both, "2"],
      [both, "3"],
    ]);
    assertEquals(missed(named, "a", 1), ["2", "3"]);
    assertEquals(missed(named, "a", 0), "purged");
    const huge = createLog({ ...NO_LIMITS, maxBytes: 9 }, [[undefined, "1"]]);
    huge.append("a", encode("more than fits"), 0);
    assertEquals(huge.isEmpty, true);
    assertEquals(missed(huge, "a", 1), "purged");
    assertEquals(missed(huge, "b", 1), []);
    assertEquals(missed(huge, "b", 0), "purged");
  });

  it("S17 is limited by maxAgeMs, also if no event is added", () => {
    const log = new ReplayLog({ ...NO_LIMITS, maxAgeMs: 100 });
    log.append(undefined, encode("1"), 0);
    log.append(undefined, encode("2"), 50);
    assertEquals(missed(log, "a", 0, 99), ["1", "2"]);
    assertEquals(missed(log, "a", 0, 100), "purged");
    assertEquals(missed(log, "a", 1, 149), ["2"]);
    assertEquals(log.isEmpty, false);
    log.trim(150);
    assertEquals(log.isEmpty, true);
    assertEquals(missed(log, "a", 1, 150), "purged");
    assertEquals(missed(log, "a", 2, 150), []);
  });

  it("S15 ignores trimmed events of other sessions", () => {
    const log = createLog({ ...NO_LIMITS, maxEvents: 2 }, [
      ["a", "1"],
      [new Set(["a", "b"]), "2"],
      ["b", "3"],
      ["b", "4"],
    ]);
    assertEquals(missed(log, "a", 0), "purged");
    assertEquals(missed(log, "a", 1), "purged");
    assertEquals(missed(log, "a", 2), []);
    assertEquals(missed(log, "b", 1), "purged");
    assertEquals(missed(log, "b", 2), ["3", "4"]);
    assertEquals(missed(log, "c", 0), []);
    log.append(undefined, encode("5"), 0);
    log.append("a", encode("6"), 0);
    log.append("a", encode("7"), 0);
    assertEquals(missed(log, "c", 4), "purged");
    assertEquals(missed(log, "c", 5), []);
    assertEquals(missed(log, "a", 5), ["6", "7"]);
  });

  it("S15 reports a gap if it no longer knows the recipients of trimmed events", () => {
    const log = createLog({ ...NO_LIMITS, maxEvents: 2 }, [
      ["a", "1"],
      ["b", "2"],
      ["c", "3"],
      ["d", "4"],
      ["d", "5"],
    ]);
    // The log remembers two recipients of trimmed events. For "a", it only knows
    // that an event of some session was trimmed.
    assertEquals(missed(log, "a", 0), "purged");
    assertEquals(missed(log, "b", 0), "purged");
    assertEquals(missed(log, "b", 1), "purged");
    assertEquals(missed(log, "z", 0), "purged");
    assertEquals(missed(log, "z", 1), []);
    assertEquals(missed(log, "a", 1), []);
    assertEquals(missed(log, "c", 2), "purged");
    assertEquals(missed(log, "c", 3), []);
    assertEquals(missed(log, "d", 3), ["4", "5"]);
  });

  it("omits events from before the session started", () => {
    const log = createLog({ ...NO_LIMITS, maxEvents: 3 }, broadcasts(5));
    assertEquals(missed(log, "a", 0, 0, eventIdAt(log, 4)), ["5"]);
    assertEquals(missed(log, "a", 0, 0, eventIdAt(log, 5)), []);
    assertEquals(missed(log, "a", 4, 0, eventIdAt(log, 3)), ["5"]);
    assertEquals(missed(log, "a", 0, 0, eventIdAt(log, 1)), "purged");
    const other = new ReplayLog(NO_LIMITS).latestEventId;
    assertEquals(missed(log, "a", 2, 0, other), ["3", "4", "5"]);
    assertEquals(missed(log, "a", 0, 0, other), "purged");
  });

  it("S15 accepts only its own event IDs", () => {
    const log = createLog(NO_LIMITS, broadcasts(3));
    const [epoch] = log.latestEventId.split("-") as [string];
    for (const offset of ["4", "9007199254740991", "9007199254740993"]) {
      assertEquals(
        log.after({ session: "a", lastEventId: `${epoch}-${offset}` }, 0),
        "future",
      );
    }
    assertEquals(
      log.after({ session: "a", lastEventId: `${epoch}-9999999999999999` }, 0),
      "future",
    );
    const invalid = ["", "-", "01", "-1", "1.5", "1e0", " 1", "1 ", "1\n"];
    for (
      const id of [
        "",
        "1",
        epoch,
        ...invalid.map((offset) => `${epoch}-${offset}`),
        `${epoch}-99999999999999999`,
        `${epoch}-\u0661`,
        `${epoch} -1`,
        `x${epoch}-1`,
        `${epoch.replace(/./, "g")}-1`,
        new ReplayLog(NO_LIMITS).latestEventId,
        `${"9".repeat(100_000)}-1`,
        "__proto__",
      ]
    ) {
      assertEquals(
        log.after({ session: "a", lastEventId: id }, 0),
        "unknown",
        id,
      );
    }
  });
});

type Event = readonly [recipients: Recipients, frame: string];

/** Broadcasts with the offsets 1 to `count`. */
function broadcasts(count: number): Event[] {
  return Array.from(
    { length: count },
    (_, index) => [undefined, `${index + 1}`],
  );
}

/** Returns a log with events that all have the same timestamp. */
function createLog(
  limits: ConstructorParameters<typeof ReplayLog>[0],
  events: readonly Event[],
): ReplayLog {
  const log = new ReplayLog(limits);
  for (const [recipients, frame] of events) {
    log.append(recipients, encode(frame), 0);
  }
  return log;
}

/** Returns the event ID of an offset. The first event has the offset 1. */
function eventIdAt(log: ReplayLog, offset: number): string {
  return log.latestEventId.replace(/\d+$/, `${offset}`);
}

/** Returns the frames that a session missed after an offset. */
function missed(
  log: ReplayLog,
  session: string,
  offset: number,
  now: number = 0,
  startEventId?: string,
): string[] | string {
  const frames = log.after({
    session,
    lastEventId: eventIdAt(log, offset),
    startEventId,
  }, now);
  if (typeof frames === "string") return frames;
  return frames.map((frame) => new TextDecoder().decode(frame));
}
