import type { HttpResult } from "../http/results.ts";
import type { Figure } from "./figures.ts";
import type { Entry } from "./history.ts";
import { NAMES } from "./style.ts";

/** What stands between the markers, and they. */
export const TABLES: RegExp = /<!-- bench:begin[^]*bench:end -->/;

/** How long a message takes, what is delivered over HTTP, and all that is tracked. */
export function tables(entries: readonly Entry[]): string {
  return [
    "<!-- bench:begin (written by `deno task bench:report`) -->",
    measuredOn(entries),
    perMessage(entries),
    overHttp(entries),
    tracked(entries),
    "<!-- bench:end -->",
    "",
  ].join("\n\n");
}

function measuredOn(entries: readonly Entry[]): string {
  const machines = new Set(
    entries.map(({ machine, date, version }) =>
      `version ${version} on ${machine.cores} cores of ${machine.cpu}, ${
        machine.os.split(" ")[0]
      }, ${date.slice(0, 10)}`
    ),
  );
  return `Measured: ${[...machines].join("; ")}.`;
}

/** One row for each contender and kind of sending, one column for each runtime. */
function perMessage(entries: readonly Entry[]): string {
  const sizes = [1_000, 10_000, 100_000];
  const rows: string[][] = [];
  for (const burst of [1, 10]) {
    for (const contender of ["ours", "peer", "better-sse", "floor"]) {
      rows.push([
        `${NAMES[contender]}, ${burst === 1 ? "one by one" : "bursts of ten"}`,
        ...entries.map(({ points }) =>
          sizes.map((sessions) =>
            points.find((point) =>
              point.contender === contender && point.burst === burst &&
              point.sessions === sessions
            )?.ns ?? "–"
          ).join(" / ")
        ),
      ]);
    }
  }
  return table(
    ["ns per message at 1,000 / 10,000 / 100,000 sessions", ...names(entries)],
    rows,
  );
}

function overHttp(entries: readonly Entry[]): string {
  const rows: string[][] = [];
  const cells = (result: HttpResult | undefined) =>
    result === undefined ? "" : [
      `${Math.round(result.messagesPerSecond.median / 1_000)}k/s`,
      `${short(result.cpuMicros.median)} µs`,
      `${short(result.p50Ms.median)} / ${short(result.p99Ms.median)} ms`,
      `${Math.round(result.bytesPerConnection / 1_000)} KB`,
    ].join(", ");
  for (const connections of [100, 1_000, 5_000]) {
    for (const burst of [10, 1]) {
      for (const contender of ["ours", "peer", "better-sse"]) {
        rows.push([
          `${connections.toLocaleString("en")}, ` +
          `${burst === 1 ? "one by one" : "bursts of ten"}: ${
            NAMES[contender]
          }`,
          ...entries.map(({ http }) =>
            cells(
              http.find((result) =>
                result.connections === connections && result.burst === burst &&
                result.contender === contender
              ),
            )
          ),
        ]);
      }
    }
  }
  return table(
    [
      "connections: messages, CPU a message, p50 / p99, memory a connection",
      ...names(entries),
    ],
    rows.filter(([, ...cells]) => cells.some((cell) => cell !== "")),
  );
}

function tracked(entries: readonly Entry[]): string {
  const ids = new Set(
    entries.flatMap(({ figures }) => figures.map(({ id }) => id)),
  );
  return table(
    ["tracked", ...names(entries)],
    [...ids].map((id) => [
      id,
      ...entries.map(({ figures }) =>
        inWords(figures.find((figure) => figure.id === id))
      ),
    ]),
  );
}

function inWords(figure: Figure | undefined): string {
  if (figure === undefined) return "";
  const { median, unit } = figure;
  if (unit === "bytes") return `${Math.round(median).toLocaleString("en")} B`;
  return `${short(median)}${unit === "ms" ? " ms" : ""}`;
}

function short(value: number): number {
  return Number(value.toPrecision(2));
}

function names(entries: readonly Entry[]): string[] {
  return entries.map(({ runtime }) => `${runtime.name} ${runtime.version}`);
}

/** Aligned, as the formatter wants it. */
function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const all = [head, ...rows];
  const widths = head.map((_, at) =>
    Math.max(3, ...all.map((row) => row[at]!.length))
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}
