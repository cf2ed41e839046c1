import type { Change } from "./comparison.ts";
import { type Figure, isMet } from "./figures.ts";

/** Prints figures. */
export function printFigures(figures: readonly Figure[]): void {
  for (const figure of figures) {
    row(figure.id, show(figure), goal(figure));
  }
}

/** Prints changes of figures. */
export function printChanges(changes: readonly Change[]): void {
  row("", "recorded", "now", "change", "");
  for (const { now, before, factor, verdict } of changes) {
    const change = verdict === "new"
      ? "not compared"
      : verdict === "same"
      ? "within the noise"
      : factor < 1
      ? `${(1 / factor).toFixed(2)} times better`
      : `${factor.toFixed(2)} times worse`;
    row(
      now.id,
      before === undefined ? "" : show(before),
      show(now),
      change,
      verdict === "regression" ? "REGRESSION" : goal(now),
    );
  }
}

/** Formats a figure with its quartiles and, if it is absolute, its unit. */
export function show({ low, median, high, unit, rounds }: Figure): string {
  const number = (value: number) =>
    unit === "bytes"
      ? Math.round(value).toLocaleString("en")
      : value < 10
      ? value.toPrecision(2)
      : value.toFixed(0);
  const range = rounds > 1 ? ` (${number(low)}-${number(high)})` : "";
  return `${number(median)}${range}${unit === "times" ? "" : ` ${unit}`}`;
}

function goal(figure: Figure): string {
  const met = isMet(figure);
  if (met === undefined) return "";
  const { better, goal = 0 } = figure;
  const bound = `at ${better === "lower" ? "most" : "least"} ${
    goal.toLocaleString("en")
  }`;
  return `${met ? "goal met" : "goal MISSED"}: ${bound}`;
}

function row(label: string, ...cells: readonly string[]): void {
  const padded = cells.map((cell) => cell.padEnd(22)).join("  ");
  console.log(`${label.padEnd(82)}  ${padded}`.trimEnd());
}
