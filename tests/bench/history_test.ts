import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { Figure } from "../../bench/tracking/figures.ts";
import { type Entry, latest } from "../../bench/tracking/history.ts";

const ONE = { cpu: "one", cores: 2, memoryGb: 24, os: "Linux" };
const OTHER = { ...ONE, cpu: "other" };

function entry(date: string, machine: Entry["machine"], value: number): Entry {
  const figure = (id: string, unit: Figure["unit"]): Figure => ({
    id,
    unit,
    better: "lower",
    low: value,
    median: value,
    high: value,
    rounds: 1,
  });
  return {
    date,
    version: "0.1.0",
    commit: "12345678",
    isChanged: false,
    runtime: { name: "Deno", version: "2.0.0" },
    machine,
    figures: [figure("size", "bytes"), figure("time", "ms")],
    points: [],
    http: [],
  };
}

function medians(found: Entry | undefined): Record<string, number> {
  const figures = found?.figures ?? [];
  return Object.fromEntries(figures.map(({ id, median }) => [id, median]));
}

describe("the record to compare with", () => {
  const history = [entry("2026-01-01", ONE, 1), entry("2026-01-02", OTHER, 2)];

  it("has the sizes of the latest, and the times of the same machine", () => {
    assertEquals(medians(latest(history, "deno", ONE)), { size: 2, time: 1 });
    assertEquals(medians(latest(history, "deno", OTHER)), { size: 2, time: 2 });
  });

  it("is the latest if there is none of the same machine", () => {
    const third = { ...ONE, cpu: "third" };
    assertEquals(medians(latest(history, "deno", third)), { size: 2, time: 2 });
    assertEquals(latest(history, "node", ONE), undefined);
  });
});
