import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { describe, it } from "node:test";
import { ReplayLog } from "../../src/replay/replay_log.ts";
import type { Recipients } from "../../src/replay/recipients.ts";
import { encode } from "../support/streams.ts";

const NO_LIMITS = {
  maxEvents: Infinity,
  maxBytes: Infinity,
  maxAgeMs: Infinity,
};

describe("ReplayLog", () => {
  it("S14 gives a session what came after, and nothing of others", () => {
    const log = filled(NO_LIMITS, [
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

  it("S16 keeps the order of what came at the same time", () => {
    const log = filled(NO_LIMITS, []);
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

  it("tells its position, and the one that comes next", () => {
    const log = new ReplayLog(NO_LIMITS);
    assertMatch(log.latestEventId, /^[0-9a-f]{16}-0$/);
    assertEquals(log.nextEventId, at(log, 1));
    log.append(undefined, encode("1"), 0);
    assertEquals([log.latestEventId, log.nextEventId], [
      at(log, 1),
      at(log, 2),
    ]);
    assertNotEquals(new ReplayLog(NO_LIMITS).latestEventId, at(log, 0));
  });

  it("S17 is bounded by events", () => {
    const log = filled({ ...NO_LIMITS, maxEvents: 3 }, everyone(5));
    assertEquals(missed(log, "a", 2), ["3", "4", "5"]);
    assertEquals(missed(log, "a", 1), "purged");
  });

  it("S17 is bounded by bytes, and by the sessions it has to name", () => {
    const three = filled({ ...NO_LIMITS, maxBytes: 3 }, everyone(5));
    assertEquals(missed(three, "a", 2), ["3", "4", "5"]);
    assertEquals(missed(three, "a", 1), "purged");
    const both = new Set(["a", "b"]);
    const named = filled({ ...NO_LIMITS, maxBytes: 2 * 129 }, [
      [both, "1"],
      [both, "2"],
      [both, "3"],
    ]);
    assertEquals(missed(named, "a", 1), ["2", "3"]);
    assertEquals(missed(named, "a", 0), "purged");
    const huge = filled({ ...NO_LIMITS, maxBytes: 9 }, [[undefined, "1"]]);
    huge.append("a", encode("more than fits"), 0);
    assertEquals(huge.isEmpty, true);
    assertEquals(missed(huge, "a", 1), "purged");
    assertEquals(missed(huge, "b", 1), []);
    assertEquals(missed(huge, "b", 0), "purged");
  });

  it("S17 is bounded by age, whether something is added or not", () => {
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

  it("S15 resets nobody for what was for others", () => {
    const log = filled({ ...NO_LIMITS, maxEvents: 2 }, [
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

  it("S15 resets rather too many where too many sessions were named", () => {
    const log = filled({ ...NO_LIMITS, maxEvents: 2 }, [
      ["a", "1"],
      ["b", "2"],
      ["c", "3"],
      ["d", "4"],
      ["d", "5"],
    ]);
    // Two sessions are noted by name: of "a" it is only known that it was someone.
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

  it("leaves out what was there before the session began", () => {
    const log = filled({ ...NO_LIMITS, maxEvents: 3 }, everyone(5));
    assertEquals(missed(log, "a", 0, 0, at(log, 4)), ["5"]);
    assertEquals(missed(log, "a", 0, 0, at(log, 5)), []);
    assertEquals(missed(log, "a", 4, 0, at(log, 3)), ["5"]);
    assertEquals(missed(log, "a", 0, 0, at(log, 1)), "purged");
    const other = new ReplayLog(NO_LIMITS).latestEventId;
    assertEquals(missed(log, "a", 2, 0, other), ["3", "4", "5"]);
    assertEquals(missed(log, "a", 0, 0, other), "purged");
  });

  it("S15 knows its own ids, and only those", () => {
    const log = filled(NO_LIMITS, everyone(3));
    const [epoch] = log.latestEventId.split("-") as [string];
    for (const place of ["4", "9007199254740991", "9007199254740993"]) {
      assertEquals(log.after("a", `${epoch}-${place}`, undefined, 0), "future");
    }
    assertEquals(
      log.after("a", `${epoch}-9999999999999999`, undefined, 0),
      "future",
    );
    const wrong = ["", "-", "01", "-1", "1.5", "1e0", " 1", "1 ", "1\n"];
    for (
      const id of [
        "",
        "1",
        epoch,
        ...wrong.map((place) => `${epoch}-${place}`),
        `${epoch}-99999999999999999`,
        `${epoch}-\u0661`,
        `${epoch} -1`,
        `x${epoch}-1`,
        `${epoch.replace(/./, "g")}-1`,
        new ReplayLog(NO_LIMITS).latestEventId,
        `${"9".repeat(100_000)}-1`,
        "__proto__",
      ]
    ) assertEquals(log.after("a", id, undefined, 0), "unknown", id);
  });
});

type Given = readonly [to: Recipients, text: string];

function everyone(count: number): Given[] {
  return Array.from({ length: count }, (_, at) => [undefined, `${at + 1}`]);
}

/** A log with events, all of the same time. */
function filled(
  limits: ConstructorParameters<typeof ReplayLog>[0],
  events: readonly Given[],
): ReplayLog {
  const log = new ReplayLog(limits);
  for (const [to, text] of events) log.append(to, encode(text), 0);
  return log;
}

/** The id of the event at a place, the first being 1. */
function at(log: ReplayLog, place: number): string {
  return log.latestEventId.replace(/\d+$/, `${place}`);
}

/** What a session missed since a place, as texts. */
function missed(
  log: ReplayLog,
  session: string,
  place: number,
  now: number = 0,
  since?: string,
): string[] | string {
  const frames = log.after(session, at(log, place), since, now);
  if (typeof frames === "string") return frames;
  return frames.map((frame) => new TextDecoder().decode(frame));
}
