import { init } from "echarts";
import type { HttpResult } from "../http/results.ts";
import type { Entry } from "./history.ts";
import { COLORS, NAMES, styled, type Theme } from "./style.ts";

/** The heights of the space above the panels, of a panel, and between panels. */
const [TOP, PANEL, GAP] = [60, 220, 80];
const WIDTH = 860;

type Options = Parameters<ReturnType<typeof init>["setOption"]>[0];

/**
 * Time per message by the number of sessions: a column each for single messages
 * and bursts, a row for each runtime.
 */
export function curves(entries: readonly Entry[]): string {
  const panels = entries.filter(({ points }) => points.length > 0)
    .flatMap((entry) => [1, 10].map((burst) => ({ entry, burst })));
  const rows = Math.ceil(panels.length / 2);
  const contenders = ["ours", "peer", "better-sse", "bareLoop"];
  return draw(rows, {
    legend: {
      top: 4,
      itemGap: 40,
      data: contenders.map((name) => NAMES[name]!),
    },
    title: panels.map(({ entry, burst }, at) =>
      heading(
        `${runtimeOf(entry)}: ${sending(burst).toLowerCase()}`,
        at,
      )
    ),
    grid: panels.map((_, at) => place(at)),
    xAxis: panels.map((_, at) => ({
      type: "log",
      gridIndex: at,
      min: 1_000,
      max: 100_000,
      name: "sessions",
      nameLocation: "middle",
      nameGap: 26,
      axisLabel: { formatter: counted },
    })),
    yAxis: panels.map((_, at) => ({
      type: "log",
      gridIndex: at,
      name: "ns per message",
      axisLabel: { formatter: counted },
    })),
    series: panels.flatMap(({ entry, burst }, at) =>
      contenders.map((contender) => ({
        type: "line",
        name: NAMES[contender]!,
        xAxisIndex: at,
        yAxisIndex: at,
        color: COLORS[contender]!,
        symbol: "circle",
        symbolSize: 6,
        lineStyle: { width: contender === "ours" ? 3 : 2 },
        data: entry.points
          .filter((point) =>
            point.contender === contender && point.burst === burst
          )
          .map(({ sessions, ns }) => [sessions, ns]),
      }))
    ),
  });
}

/** A value of a contender and its format. */
interface Measure {
  readonly title: string;
  readonly of: (result: HttpResult) => number;
}

const THROUGHPUT: Measure = {
  title: "messages/s over 1,000 connections",
  of: (result) => result.messagesPerSecond.median,
};
const CPU: Measure = {
  title: "CPU per message (µs)",
  of: (result) => result.cpuMicros.median,
};

/** Throughput and CPU time over 1,000 connections, on each runtime. */
export function httpBars(entries: readonly Entry[]): string {
  return draw(2, bars(entries, [THROUGHPUT, CPU]));
}

/**
 * Throughput over 1,000 connections, on each runtime: the picture of the
 * README.
 */
export function throughputBars(
  entries: readonly Entry[],
  theme: Theme,
): string {
  return draw(1, bars(entries, [THROUGHPUT]), theme);
}

function bars(
  entries: readonly Entry[],
  measures: readonly Measure[],
): object {
  const measured = entries.filter(({ http }) => http.length > 0);
  const contenders = ["ours", "peer", "better-sse", "bare"] as const;
  const panels = [10, 1].flatMap((burst) =>
    measures.map((measure) => ({ burst, ...measure }))
  );
  return {
    legend: {
      top: 4,
      itemGap: 40,
      data: contenders.map((name) => NAMES[name]!),
    },
    title: panels.map(({ burst, title }, at) =>
      heading(`${sending(burst)}: ${title}`, at)
    ),
    grid: panels.map((_, at) => place(at)),
    xAxis: panels.map((_, at) => ({
      type: "category",
      gridIndex: at,
      data: measured.map(runtimeOf),
    })),
    yAxis: panels.map((_, at) => ({
      type: "value",
      gridIndex: at,
      axisLabel: { formatter: counted },
    })),
    series: panels.flatMap(({ burst, of }, at) =>
      contenders.map((contender) => ({
        type: "bar",
        name: NAMES[contender]!,
        xAxisIndex: at,
        yAxisIndex: at,
        color: COLORS[contender]!,
        label: {
          show: true,
          position: "top",
          fontSize: 10,
          textBorderWidth: 0,
          formatter: ({ value }: { value: number }) => {
            const rounded = Number(value.toPrecision(2));
            return value >= 100 ? counted(rounded) : `${rounded}`;
          },
        },
        data: measured.map(({ http }) => {
          const result = http.find((result) =>
            result.contender === contender && result.burst === burst &&
            result.connections === 1_000
          );
          return result && of(result);
        }),
      }))
    ),
  };
}

function sending(burst: number): string {
  return burst === 1 ? "One at a time" : "Bursts of ten";
}

function draw(rows: number, options: object, theme?: Theme): string {
  const chart = init(null, null, {
    renderer: "svg",
    ssr: true,
    width: WIDTH,
    height: TOP + rows * (PANEL + GAP),
  });
  chart.setOption({ animation: false, ...options } as Options);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return styled(svg, theme);
}

function place(at: number): object {
  return {
    left: at % 2 === 0 ? 60 : WIDTH / 2 + 50,
    top: TOP + Math.floor(at / 2) * (PANEL + GAP) + 40,
    width: WIDTH / 2 - 90,
    height: PANEL - 20,
  };
}

function heading(text: string, at: number): object {
  return {
    text,
    left: at % 2 === 0 ? 20 : WIDTH / 2 + 10,
    top: TOP + Math.floor(at / 2) * (PANEL + GAP) - 15,
    textStyle: { fontSize: 13 },
  };
}

function runtimeOf({ runtime }: Entry): string {
  return `${runtime.name} ${runtime.version}`;
}

function counted(value: number): string {
  return value >= 1_000
    ? `${Number((value / 1_000).toPrecision(3)).toLocaleString("en")}k`
    : `${value}`;
}
