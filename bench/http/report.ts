import { ratio, type Spread, spread } from "../paired_rounds.ts";
import type { Contender } from "./control.ts";
import type { Run } from "./server_under_test.ts";

/** How two contenders compare, round by round. */
export interface Ratios {
  /** How many times as many messages a second ours delivers. */
  readonly rate: Spread;
  /** How many times as much of the processor the other takes for a message. */
  readonly cpu: Spread;
}

/** Compares ours with another. */
export function ratiosTo(other: Run[], ours: Run[]): Ratios {
  return {
    rate: ratio(ours.map(rate), other.map(rate)),
    cpu: ratio(other.map(cpu), ours.map(cpu)),
  };
}

/** Prints what was measured, middle and quartiles, and how ours compares. */
export function printTable(
  title: string,
  connections: number,
  runs: Map<Contender, Run[]>,
): void {
  console.log();
  row(title, "messages/s", "server ms/1,000", "ours/it", "CPU it/ours", "busy");
  const ours = runs.get("ours")!;
  for (const [contender, its] of runs) {
    const ratios = contender === "ours" ? undefined : ratiosTo(its, ours);
    row(
      contender,
      show(spread(its.map((run) => rate(run) * connections)), 0),
      show(spread(its.map((run) => cpu(run) * 1_000 / connections)), 2),
      ratios === undefined ? "" : show(ratios.rate, 2),
      ratios === undefined ? "" : show(ratios.cpu, 2),
      [busy(its, "cpuMs"), busy(its, "clientCpuMs")].join(" / "),
    );
  }
}

/** Events a second. */
function rate({ events, ms }: Run): number {
  return events / ms * 1_000;
}

/** Milliseconds of the server's processors for an event. */
function cpu({ events, cpuMs }: Run): number {
  return cpuMs / events;
}

/** How much of a processor a side needed: the server's should be all of one. */
function busy(runs: Run[], side: "cpuMs" | "clientCpuMs"): string {
  const { median } = spread(runs.map((run) => run[side] / run.ms));
  return `${Math.round(median * 100)}%`;
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

function row(label: string, ...cells: string[]): void {
  const widths = [28, 22, 18, 18, 13];
  console.log(
    label.padEnd(21) +
      cells.map((cell, at) => cell.padStart(widths[at]!)).join(""),
  );
}
