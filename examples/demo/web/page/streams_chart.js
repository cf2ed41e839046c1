import { stackedChart } from "./charts.js";
import { Drawing } from "./svg.js";

/** The streams of each node in the last minute, and when nodes ended. */
export class StreamsChart {
  #drawing;

  constructor(element) {
    this.#drawing = new Drawing(element);
  }

  /** Shows samples. */
  show(samples) {
    const { nodes } = samples.at(-1);
    const series = nodes.map((_, place) =>
      samples.map((sample) => sample.nodes[place].streams)
    );
    const now = nodes.map(({ name, streams }) => `${name} ${streams}`);
    const events = eventsOf(samples);
    const label = [
      `Streams by node now: ${now.join(", ")}`,
      ...events.map(({ text }) => `${text} in the last minute`),
    ];
    this.#drawing.show(
      label.join("; "),
      (width, height) => stackedChart(series, events, width, height),
    );
  }
}

/** Finds the samples at which a node stopped or was back. */
function eventsOf(samples) {
  const events = [];
  for (let index = 1; index < samples.length; index++) {
    samples[index].nodes.forEach(({ name, status }, place) => {
      const before = samples[index - 1].nodes[place].status;
      if (status === before) return;
      if (status === "stopped") events.push({ index, text: `${name} stopped` });
      if (status === "running") events.push({ index, text: `${name} back` });
    });
  }
  return events;
}
