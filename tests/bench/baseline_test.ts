import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { Figure } from "../../bench/tracking/figures.ts";
import {
  latest,
  type Machine,
  type Measured,
} from "../../bench/tracking/baseline.ts";

const ONE = { cpu: "one", cores: 2, memoryGb: 24, os: "Linux" };
const OTHER = { ...ONE, cpu: "other" };

function entry(machine: Machine, value: number): Measured {
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
    runtime: { name: "Deno" },
    machine,
    figures: [figure("size", "bytes"), figure("time", "ms")],
  };
}

function medians(found: Measured | undefined): Record<string, number> {
  const figures = found?.figures ?? [];
  return Object.fromEntries(figures.map(({ id, median }) => [id, median]));
}

describe("the record to compare with", () => {
  const history = [entry(ONE, 1), entry(OTHER, 2)];

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
