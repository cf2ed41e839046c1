import { formatCount } from "./format.js";
import { svg } from "./svg.js";

/** The number of samples in a chart: one minute. */
const SAMPLES = 120;
/** More than the text of an event takes, in pixels. */
const LABEL_WIDTH = 100;

/** Returns the x coordinate of each value; the newest is at the right. */
function scaleX(count, width) {
  const step = width / (SAMPLES - 1);
  return (index) => width - (count - 1 - index) * step;
}

/** Returns a round number that is at least as large. */
function roundUp(value) {
  const unit = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 1.5, 2, 3, 4, 6, 8, 10].map((factor) => factor * unit)
    .find((round) => round >= value);
}

function path(points) {
  return points.map(([x, y], index) =>
    `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`
  ).join("");
}

/** A line with the area below it, from zero to the maximum. */
export function lineChart(values, width, height) {
  const max = Math.max(1, ...values) * 1.15;
  const x = scaleX(values.length, width);
  const line = values.map((value, index) => [
    x(index),
    height - 1 - value / max * (height - 3),
  ]);
  if (line.length === 0) return [];
  const area = [...line, [width, height], [line[0][0], height]];
  return [
    svg("path", { class: "area", d: `${path(area)}Z` }),
    svg("path", { class: "line", d: path(line) }),
  ];
}

/** A bar for each increase of a counter. */
export function increaseChart(totals, width, height) {
  const increases = totals.slice(1).map((total, index) =>
    Math.max(0, total - totals[index])
  );
  const max = Math.max(2, ...increases);
  const x = scaleX(increases.length, width);
  const step = width / (SAMPLES - 1);
  const bars = increases.flatMap((increase, index) => {
    if (increase === 0) return [];
    const size = Math.max(3, increase / max * (height - 2));
    return svg("rect", {
      class: "bar",
      x: (x(index) - step).toFixed(1),
      y: (height - 1 - size).toFixed(1),
      width: Math.max(1.5, step - 0.5).toFixed(1),
      height: size.toFixed(1),
    });
  });
  return [
    svg("line", {
      class: "base",
      x1: 0,
      x2: width,
      y1: height - 0.5,
      y2: height - 0.5,
    }),
    ...bars,
  ];
}

/**
 * The layers of several series, one on top of the other, and events at a moment.
 *
 * @param {number[][]} series The values of each series.
 * @param {{ index: number, text: string }[]} events What happened at a sample.
 */
export function stackedChart(series, events, width, height) {
  const count = series[0]?.length ?? 0;
  if (count === 0) return [];
  const frame = { top: 34, right: width - 40, bottom: height - 22 };
  const sums = series[0].map((_, index) =>
    series.reduce((sum, values) => sum + values[index], 0)
  );
  const max = roundUp(Math.max(10, ...sums));
  const x = scaleX(count, frame.right);
  const y = (value) => frame.bottom - value / max * (frame.bottom - frame.top);
  return [
    ...grid(max, y, frame),
    ...layersOf(series, x, y),
    ...marks(events, x, frame),
    ...times(frame, height),
  ];
}

function grid(max, y, { right }) {
  return [0, max / 2, max].flatMap((value) => [
    svg("line", {
      class: "grid",
      x1: 0,
      x2: right,
      y1: y(value),
      y2: y(value),
    }),
    svg(
      "text",
      { class: "axis", x: right + 8, y: y(value) + 4 },
      formatCount(value),
    ),
  ]);
}

function layersOf(series, x, y) {
  const below = new Array(series[0].length).fill(0);
  return series.map((values, layer) => {
    const lower = below.map((value, index) => [x(index), y(value)]);
    values.forEach((value, index) => below[index] += value);
    const upper = below.map((value, index) => [x(index), y(value)]);
    return svg("path", {
      class: `layer node-${layer + 1}`,
      d: `${path([...upper, ...lower.reverse()])}Z`,
    });
  });
}

function marks(events, x, { top, right, bottom }) {
  let previous = -Infinity;
  let row = 0;
  return events.flatMap(({ index, text }) => {
    const at = x(index);
    // Two rows, so that texts do not overlap.
    row = at - previous < LABEL_WIDTH ? 1 - row : 0;
    previous = at;
    const anchor = at > right - LABEL_WIDTH / 2
      ? "end"
      : at < LABEL_WIDTH / 2
      ? "start"
      : "middle";
    const y = top - 24 + row * 15;
    return [
      svg("line", { class: "mark", x1: at, x2: at, y1: y + 4, y2: bottom }),
      svg(
        "text",
        { class: "axis event", x: at, y, "text-anchor": anchor },
        text,
      ),
    ];
  });
}

function times({ right }, height) {
  const texts = [
    [0, "start", "60 s ago"],
    [right / 2, "middle", "30 s ago"],
    [right, "end", "now"],
  ];
  return texts.map(([x, anchor, text]) =>
    svg(
      "text",
      { class: "axis", x, y: height - 4, "text-anchor": anchor },
      text,
    )
  );
}
