import type { Spread } from "../paired_rounds.ts";
import type { HttpResult } from "./results.ts";

/** Prints medians and quartiles, and the ratios to ours. */
export function printTable(
  title: string,
  results: readonly HttpResult[],
): void {
  console.log();
  row(title, [
    "messages/s",
    "CPU µs/message",
    "p50 ms",
    "p99 ms",
    "KB/connection",
    "ours/it",
    "CPU it/ours",
    "busy",
  ]);
  for (const result of results) {
    const { timesOurs, cpuTimesOurs } = result;
    row(result.contender, [
      show(result.messagesPerSecond, 0),
      show(result.cpuMicros, 2),
      result.p50Ms.median.toFixed(1),
      result.p99Ms.median.toFixed(1),
      (result.bytesPerConnection / 1_000).toFixed(1),
      timesOurs === undefined ? "" : show(timesOurs, 2),
      cpuTimesOurs === undefined ? "" : show(cpuTimesOurs, 2),
      result.busy.map((share) => `${Math.round(share * 100)}%`).join(" / "),
    ]);
  }
}

function show({ low, median, high }: Spread, digits: number): string {
  const [from, middle, to] = [low, median, high].map((value) =>
    value.toLocaleString("en", {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    })
  );
  return `${middle} (${from}-${to})`;
}

function row(label: string, cells: readonly string[]): void {
  const widths = [28, 21, 9, 9, 15, 18, 18, 13];
  console.log(
    label.padEnd(21) +
      cells.map((cell, at) => cell.padStart(widths[at]!)).join(""),
  );
}
