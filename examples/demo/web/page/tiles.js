import { increaseChart, lineChart } from "./charts.js";
import { formatBytes, formatCount, plural, setText } from "./format.js";
import { Drawing } from "./svg.js";

const evicted = ({ totals }) => totals.evictedByBytes + totals.evictedByAge;

/** What each tile shows: its value, its chart, and a note. */
const TILES = {
  sessions: {
    value: (sample) => sample.sessions,
    note: ({ totals }) =>
      `${formatCount(totals.begun)} begun, ${formatCount(totals.ended)} ended`,
  },
  streams: {
    value: (sample) => sample.streams,
    note: ({ nodes }) =>
      `on ${
        plural(nodes.filter((n) => n.status === "running").length, "node")
      }`,
  },
  perSecond: {
    value: (sample) => sample.perSecond,
    note: ({ totals }) => `${formatCount(totals.delivered)} delivered`,
  },
  resumed: {
    value: ({ totals }) => totals.resumed,
    note: ({ totals }) =>
      `${formatCount(totals.replayed)} replayed, ` +
      plural(totals.resets, "reset"),
    isCounter: true,
  },
  evicted: {
    value: evicted,
    note: ({ totals }) =>
      `${formatCount(totals.evictedByBytes)} by size, ` +
      `${formatCount(totals.evictedByAge)} by age`,
    isCounter: true,
  },
  queuedBytes: {
    value: (sample) => sample.queuedBytes,
    note: ({ clients }) => plural(clients.stalled, "stalled reader"),
    format: formatBytes,
  },
};

/** The figures of all nodes together. */
export class Tiles {
  #drawings = new Map();

  /** Shows samples. */
  show(samples) {
    const latest = samples.at(-1);
    for (const [name, tile] of Object.entries(TILES)) {
      const { value, note, isCounter, format = formatCount } = tile;
      const element = document.querySelector(`[data-stat="${name}"]`);
      const now = value(latest);
      element.dataset.value = now;
      setText(element, format(now));
      setText(document.querySelector(`[data-note="${name}"]`), note(latest));
      const values = samples.map(value);
      const chart = isCounter ? increaseChart : lineChart;
      const label = isCounter
        ? `${format(now)}, ${format(now - values[0])} in the last minute`
        : `${format(now)} now, ${format(Math.min(...values))} to ` +
          `${format(Math.max(...values))} in the last minute`;
      this.#drawing(name).show(
        label,
        (width, height) => chart(values, width, height),
      );
    }
  }

  #drawing(name) {
    if (!this.#drawings.has(name)) {
      const element = document.querySelector(`[data-chart="${name}"]`);
      this.#drawings.set(name, new Drawing(element));
    }
    return this.#drawings.get(name);
  }
}
