import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { ReplayLog } from "../../src/replay/replay_log.ts";
import type { Recipients } from "../../src/replay/recipients.ts";

interface Kept {
  readonly to: Recipients;
  readonly text: string;
  readonly weight: number;
  readonly at: number;
}

describe("ReplayLog, compared with a plain list", () => {
  it("S17 respects all of its limits together", () => {
    const event = fc.record({
      to: fc.constantFrom<Recipients>(
        undefined,
        "a",
        "b",
        new Set(["a"]),
        new Set(["a", "b"]),
      ),
      length: fc.nat({ max: 200 }),
      wait: fc.nat({ max: 30 }),
    });
    const limits = fc.record({
      maxEvents: fc.integer({ min: 2, max: 20 }),
      maxBytes: fc.integer({ min: 1, max: 2_000 }),
      maxAgeMs: fc.integer({ min: 1, max: 300 }),
    });
    fc.assert(
      fc.property(
        limits,
        fc.array(event, { maxLength: 120, size: "max" }),
        (given, all) => {
          const log = new ReplayLog({ ...given, maxShare: 1 });
          let now = 0;
          const list: Kept[] = [];
          let dropped = { a: 0, b: 0 };
          for (const [index, { to, length, wait }] of all.entries()) {
            now += wait;
            const text = `${index}`.padEnd(length, ".");
            const names = to instanceof Set ? to.size : 0;
            list.push({ to, text, weight: text.length + 64 * names, at: now });
            log.append(to, new TextEncoder().encode(text), now);
            while (list.length > 0) {
              const weight = list.reduce((sum, { weight }) => sum + weight, 0);
              const fits = list.length <= given.maxEvents &&
                weight <= given.maxBytes && now - list[0]!.at < given.maxAgeMs;
              if (fits) break;
              const place = index + 2 - list.length;
              const { to } = list.shift()!;
              dropped = {
                a: isFor("a", to) ? place : dropped.a,
                b: isFor("b", to) ? place : dropped.b,
              };
            }
            for (const session of ["a", "b"] as const) {
              const kept = list.filter(({ to }) => isFor(session, to))
                .map(({ text }) => text);
              const first = dropped[session];
              assertEquals(missed(log, session, first, now), kept);
              if (first > 0) {
                assertEquals(missed(log, session, first - 1, now), "purged");
              }
            }
          }
        },
      ),
      { seed: 1 },
    );
  });
});

/** Returns the data of the events that a session missed after an offset. */
function missed(
  log: ReplayLog,
  session: string,
  place: number,
  now: number,
): string[] | string {
  const id = log.latestEventId.replace(/\d+$/, `${place}`);
  const frames = log.after({ session, lastEventId: id }, now);
  if (typeof frames === "string") return frames;
  return frames.map((frame) => new TextDecoder().decode(frame));
}

function isFor(session: string, to: Recipients): boolean {
  if (to instanceof Set) return to.has(session);
  return to === undefined || to === session;
}
