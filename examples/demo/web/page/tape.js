import { Drawing, svg } from "./svg.js";

/** The width of a message and the gap after it, in pixels. */
const STEP = 6;

/** Shows the messages that were sent last, each as a mark. */
export class Tape {
  #drawing;

  constructor(element) {
    this.#drawing = new Drawing(element);
  }

  /** Shows a sequence up to a number. */
  show(sequence, upTo) {
    const last = Math.max(upTo, sequence.highest);
    const label = `The last messages up to number ${last}: ` +
      `${sequence.missing(upTo)} missing`;
    this.#drawing.show(label, (width, height) => {
      const count = Math.floor(width / STEP);
      const marks = [];
      for (let place = 0; place < count; place++) {
        const number = last - count + 1 + place;
        if (sequence.first === undefined || number < sequence.first) continue;
        marks.push(svg("rect", {
          class: sequence.way(number) ?? "missing",
          x: place * STEP + 0.5,
          y: 0.5,
          width: STEP - 2,
          height: height - 1,
          rx: 1.5,
        }));
      }
      return marks;
    });
  }
}
