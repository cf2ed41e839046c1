import type { HttpResult } from "../http/results.ts";
import type { Figure } from "./figures.ts";
import type { Entry } from "./history.ts";
import { NAMES } from "./style.ts";

/**
 * Returns all tables: time per message, delivery over HTTP, and every tracked
 * figure.
 */
export function tables(entries: readonly Entry[]): string {
  return [
    "<!-- Written by `deno task bench:report` -->",
    "# Latest measurements",
    measuredOn(entries),
    perMessage(entries),
    overHttp(entries),
    tracked(entries),
    "",
  ].join("\n\n");
}

/** The markers in a document, and everything between them. */
export const MARKED: RegExp = /<!-- bench:begin[^]*bench:end -->/;

/** Returns the table that the README has between its markers. */
export function overview(entries: readonly Entry[]): string {
  return marked([
    table(
      ["", ...names(entries)],
      OVERVIEW.map((row) => cellsOf(row, entries, "median")),
    ),
    measuredOn(entries),
  ]);
}

/**
 * Returns the tables that docs/benchmarks.md has between its markers, with
 * quartiles.
 */
export function summary(entries: readonly Entry[]): string {
  return marked([
    measuredOn(entries),
    ...SECTIONS.map(([head, rows]) =>
      table(
        [head, ...names(entries)],
        rows.map((row) => cellsOf(row, entries, "quartiles")),
      )
    ),
  ]);
}

function marked(parts: readonly string[]): string {
  return [
    "<!-- bench:begin (written by `deno task bench:report`) -->",
    ...parts,
    "<!-- bench:end -->",
  ].join("\n\n");
}

/** A row: its title, the ID of the figure, and its format. */
type Row = readonly [
  title: string,
  id: string,
  options?: { readonly isInverse?: boolean; readonly suffix?: string },
];

/** How the IDs of the sizes of bundles end. */
const BUNDLE = "minified and gzipped";
const PEER = "@tmcp/session-manager";
const CONTENDERS = ["ours", "peer", "web-streams", "better-sse", "bare"];
const HTTP = "over HTTP, 1,000 connections";
const TIMES = { suffix: "×" };
const FASTER = { isInverse: true, suffix: "×" };

const OVERVIEW: readonly Row[] = [
  [
    `1 KB to 10,000 streams: speed against \`${PEER}\``,
    `10,000 sessions, 1 KB: ours / ${PEER}`,
    FASTER,
  ],
  [
    `1 KB to 1,000 of 100,000 sessions: speed against \`${PEER}\``,
    `1,000 of 100,000 sessions, 1 KB: ours / ${PEER}`,
    FASTER,
  ],
  [
    "1 KB to 10,000 streams: time against a bare loop of `enqueue`",
    "10,000 sessions, 1 KB: ours / bare loop",
    TIMES,
  ],
  [
    "1 KB to 1,000 sessions over Redis: time against a bare `PUBLISH`",
    "over Redis, 1,000 sessions, 1 KB: ours / bare PUBLISH",
    TIMES,
  ],
  [
    "290 B to 1,000 connections, bursts of ten: speed against a bare loop of `response.write`",
    `${HTTP}, bursts of ten events: messages a second, ours / bare loop of response.write`,
    TIMES,
  ],
  [
    "Heap of an idle session, without its stream",
    "heap of an idle session above its stream",
  ],
];

const SECTIONS: readonly [head: string, rows: readonly Row[]][] = [
  ["Speed, as a multiple of another package's", [
    [
      `Broadcast of 1 KB to 10,000: \`${PEER}\``,
      `10,000 sessions, 1 KB: ours / ${PEER}`,
      { isInverse: true },
    ],
    [
      `1 KB to 1,000 of 100,000: \`${PEER}\``,
      `1,000 of 100,000 sessions, 1 KB: ours / ${PEER}`,
      { isInverse: true },
    ],
    [
      `1,000 connections, bursts of ten: \`${PEER}\``,
      `${HTTP}, bursts of ten events: messages a second, ours / ${PEER}`,
    ],
    [
      `1,000 connections, one at a time: \`${PEER}\``,
      `${HTTP}, single events: messages a second, ours / ${PEER}`,
    ],
    [
      "1,000 connections, bursts of ten: `better-sse`",
      `${HTTP}, bursts of ten events: messages a second, ours / better-sse`,
    ],
    [
      "1,000 connections, one at a time: `better-sse`",
      `${HTTP}, single events: messages a second, ours / better-sse`,
    ],
    [
      "1,000 connections, bursts of ten: bare loop of `response.write`",
      `${HTTP}, bursts of ten events: messages a second, ours / bare loop of response.write`,
    ],
    [
      "1,000 connections, one at a time: bare loop of `response.write`",
      `${HTTP}, single events: messages a second, ours / bare loop of response.write`,
    ],
  ]],
  ["Time, as a multiple of the lower bound's", [
    [
      "Broadcast of 1 KB to 10,000: a loop of `enqueue`",
      "10,000 sessions, 1 KB: ours / bare loop",
    ],
    [
      "The same, with a pending read on every stream",
      "10,000 sessions, 1 KB, readers wait: ours / bare loop",
    ],
    [
      "The same, to 100,000",
      "100,000 sessions, 1 KB: ours / bare loop",
    ],
    [
      "Ten times 100 B to 10,000, until they are read",
      "10,000 sessions, ten times 100 B, until read: ours / bare loop",
    ],
    [
      "1 KB to 10,000, with replay: the same without replay",
      "10,000 sessions, 1 KB: with replay / without",
    ],
    [
      "To 10,000 in 4 workers, bursts of ten: `postMessage`",
      "4 workers, 10,000 sessions, 1 KB in bursts of ten: ours / bare postMessage",
    ],
    [
      "Over Redis, 1 KB to 1,000: `PUBLISH`",
      "over Redis, 1,000 sessions, 1 KB: ours / bare PUBLISH",
    ],
    [
      "The same, with replay",
      "over Redis, 1,000 sessions, 1 KB: with replay / bare PUBLISH",
    ],
  ]],
  ["Size", [
    [
      "Heap of an idle session, without its stream",
      "heap of an idle session above its stream",
    ],
    [
      "The main entry point, minified and gzipped",
      "the main entry point, minified and gzipped",
    ],
    [
      "`InMemorySessions` alone, minified and gzipped",
      "`InMemorySessions` alone, minified and gzipped",
    ],
    [
      "Import of the main entry point from npm",
      "import of the main entry point from npm",
    ],
    [
      "Import of the main entry point from JSR",
      "import of the main entry point from JSR",
    ],
  ]],
];

function cellsOf(
  [title, id, { isInverse = false, suffix = "" } = {}]: Row,
  entries: readonly Entry[],
  detail: "median" | "quartiles",
) {
  return [
    title,
    ...entries.map((entry) => {
      // Bundles are the same on every runtime.
      const { figures } = id.endsWith(BUNDLE) ? newestOf(entries) : entry;
      const figure = figures.find((figure) => figure.id === id);
      if (figure === undefined || figure.unit !== "times") {
        return inWords(figure);
      }
      const { median, low, high } = figure;
      const [least, middle, most] = isInverse
        ? [1 / high, 1 / median, 1 / low]
        : [low, median, high];
      const value = `${short(middle!).toLocaleString("en")}${suffix}`;
      return detail === "median"
        ? value
        : `${value} (${short(least!)}–${short(most!)})`;
    }),
  ];
}

function newestOf(entries: readonly Entry[]): Entry {
  return entries.reduce((one, other) => other.date > one.date ? other : one);
}

/** Says when and on which machine each runtime was measured. */
function measuredOn(entries: readonly Entry[]): string {
  const runtimes = new Map<string, string[]>();
  for (const { machine, date, version, runtime } of entries) {
    const { os, cores, cpu } = machine;
    const how = `version ${version}, ${date.slice(0, 10)}, ${
      os.split(" ")[0]
    } on ${cores} cores of an ${cpu}`;
    runtimes.set(how, [...runtimes.get(how) ?? [], runtime.name]);
  }
  const parts = [...runtimes].map(([how, names]) =>
    runtimes.size === 1 ? how : `${names.join(" and ")}: ${how}`
  );
  return `Measured with ${parts.join("; ")}.`;
}

/** A row for each contender and burst size, a column for each runtime. */
function perMessage(entries: readonly Entry[]): string {
  const sizes = [1_000, 10_000, 100_000];
  const rows: string[][] = [];
  for (const burst of [1, 10]) {
    for (const contender of ["ours", "peer", "better-sse", "bareLoop"]) {
      rows.push([
        `${NAMES[contender]}, ${
          burst === 1 ? "one at a time" : "bursts of ten"
        }`,
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
      for (const contender of CONTENDERS) {
        rows.push([
          `${connections.toLocaleString("en")}, ` +
          `${burst === 1 ? "one at a time" : "bursts of ten"}: ${
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
      "Connections: messages, CPU per message, p50 / p99, memory per connection",
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
    ["Tracked figure", ...names(entries)],
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

/** Returns an aligned Markdown table. */
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
