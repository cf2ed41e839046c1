import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { ReplayLog } from "../../src/replay/replay_log.ts";
import { requestKey } from "../../src/replay/request_key.ts";
import type { Recipients } from "../../src/replay/recipients.ts";
import { encode } from "../support/streams.ts";

const MAX = 400;
const LIMITS = {
  maxEvents: MAX,
  maxBytes: Infinity,
  maxAgeMs: Infinity,
  maxShare: 0.25,
};

describe("ReplayLog: shares of sessions", () => {
  it("L8 S15 random schedules never lead to a gap without a reset", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff;
      return Math.floor(seed / 0x7fff_ffff * below);
    };
    const { log, append } = createLog();
    const all: { recipients: Recipients; text: string }[] = [];
    const sessions = ["busy", "other", "quiet", requestKey("r", "busy")];
    let served = 0;
    for (let offset = 1; offset <= 20_000; offset++) {
      const pick = random(100);
      const recipients: Recipients = pick < 70
        ? "busy"
        : pick < 80
        ? sessions[3]!
        : pick < 90
        ? "other"
        : pick < 93
        ? "quiet"
        : pick < 95
        ? new Set(["busy", "quiet"])
        : undefined;
      all.push({ recipients, text: `${offset}` });
      append(recipients, `${offset}`);
      if (offset % 97 !== 0) continue;
      for (const session of sessions) {
        const from = offset - random(Math.min(offset, 2 * MAX));
        const after = missed(log, session, from);
        if (typeof after === "string") continue;
        served++;
        const isRequest = session === sessions[3];
        const expected = all.slice(from).filter(({ recipients }) =>
          recipients === session ||
          (recipients === undefined && !isRequest) ||
          (recipients instanceof Set && recipients.has(session))
        );
        assertEquals(after, expected.map(({ text }) => text), session);
      }
    }
    assert(served > 200, `Only ${served} could resume.`);
  });

  it("L8 S17 the log is bounded although old events stay", () => {
    const { log, append } = createLog();
    append("quiet", "first");
    for (let count = 0; count < 50_000; count++) append("busy", `${count}`);
    assertEquals(missed(log, "quiet", 0), ["first"]);
    const newest = missed(log, "busy", 50_001 - 100);
    assertEquals(newest.length, 100);
    assertEquals(missed(log, "busy", 50_001 - MAX), "purged");
  });

  it("L8 a session that is alone may use the whole log", () => {
    const { log, append } = createLog();
    for (let count = 1; count <= MAX; count++) append("busy", `${count}`);
    assertEquals(missed(log, "busy", 0).length, MAX);
  });

  it("L8 the bytes of a session count as well", () => {
    const { log, append } = createLog({
      ...LIMITS,
      maxEvents: Infinity,
      maxBytes: 1_000_000,
    });
    append("quiet", "first");
    for (let count = 0; count < 100; count++) {
      append("busy", "x".repeat(100_000));
    }
    assertEquals(missed(log, "quiet", 0), ["first"]);
    assertEquals(missed(log, "busy", 99).length, 2);
  });
});

function createLog(limits: typeof LIMITS = LIMITS) {
  const log = new ReplayLog(limits);
  const append = (recipients: Recipients, text: string) =>
    log.append(recipients, encode(text), 0);
  return { log, append };
}

/** Returns what a session has missed after an offset, or why nobody knows. */
function missed(
  log: ReplayLog,
  session: string,
  offset: number,
): string | string[] {
  const [epoch] = log.latestEventId.split("-");
  const after = log.after({ session, lastEventId: `${epoch}-${offset}` }, 0);
  const decoder = new TextDecoder();
  return typeof after === "string"
    ? after
    : after.map((frame) => decoder.decode(frame));
}
