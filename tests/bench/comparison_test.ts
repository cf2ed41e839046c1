import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  type Change,
  compareFigures,
  confirm,
} from "../../bench/tracking/comparison.ts";
import type { Figure } from "../../bench/tracking/figures.ts";

function figure(median: number, more: Partial<Figure> = {}): Figure {
  return {
    id: "ours / bare loop",
    unit: "times",
    better: "lower",
    median,
    low: median * 0.95,
    high: median * 1.05,
    rounds: 11,
    ...more,
  };
}

function compare(
  before: Figure,
  now: Figure,
  isSameMachine = true,
): Change["verdict"] {
  return compareFigures([before], [now], 1.3, isSameMachine)[0]!.verdict;
}

describe("The comparison of benchmark results", () => {
  it("ignores changes within the noise of either", () => {
    assertEquals(compare(figure(1), figure(1.05)), "same");
    assertEquals(compare(figure(1, { high: 3 }), figure(2.5)), "same");
    assertEquals(compare(figure(1), figure(2.5, { low: 1 })), "same");
  });

  it("reports changes beyond the noise", () => {
    assertEquals(compare(figure(1), figure(1.2)), "worse");
    assertEquals(compare(figure(1), figure(0.5)), "better");
    assertEquals(compare(figure(1), figure(1.4)), "regression");
  });

  it("is stricter with figures without noise", () => {
    const bytes = { unit: "bytes", rounds: 1 } as const;
    const size = (median: number) =>
      figure(median, { ...bytes, low: median, high: median });
    assertEquals(compare(size(1_000), size(1_015)), "same");
    assertEquals(compare(size(1_000), size(1_050)), "worse");
    assertEquals(compare(size(1_000), size(1_150)), "regression");
  });

  it("respects figures of which more is better", () => {
    const more = { better: "higher" } as const;
    assertEquals(compare(figure(3, more), figure(2, more)), "regression");
    assertEquals(compare(figure(2, more), figure(3, more)), "better");
  });

  it("compares no milliseconds with those of another machine", () => {
    const ms = { unit: "ms" } as const;
    assertEquals(compare(figure(1, ms), figure(9, ms), false), "new");
    assertEquals(compare(figure(1, ms), figure(9, ms)), "regression");
    assertEquals(compare(figure(1), figure(9), false), "regression");
  });

  it("compares nothing with a figure that was not recorded", () => {
    const other = figure(1, { id: "another" });
    assertEquals(compare(other, figure(9)), "new");
  });

  it("confirms a regression only if it is found twice", () => {
    const before = [figure(1)];
    const changes = (median: number) =>
      compareFigures(before, [figure(median)], 1.3, true);
    const verdict = (first: number, second: number) =>
      confirm(changes(first), changes(second))[0]!.verdict;
    assertEquals(verdict(3, 1), "same");
    assertEquals(verdict(3, 1.2), "worse");
    assertEquals(verdict(3, 2), "regression");
    // A figure that was not measured again stays unchanged.
    assertEquals(confirm(changes(3), [])[0]!.verdict, "regression");
  });
});
