const NAMESPACE = "http://www.w3.org/2000/svg";

/** Creates an SVG element. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, String(value));
  }
  element.append(...children);
  return element;
}

/** Draws into an SVG element in pixels, also when its size changes. */
export class Drawing {
  #element;
  #draw = () => [];

  constructor(element) {
    this.#element = element;
    new ResizeObserver(() => this.#redraw()).observe(element);
  }

  /**
   * Replaces the drawing.
   *
   * @param {string} label Describes it to those who cannot see it.
   * @param draw Returns its elements for a width and a height.
   */
  show(label, draw) {
    this.#element.setAttribute("aria-label", label);
    this.#draw = draw;
    this.#redraw();
  }

  #redraw() {
    const { width, height } = this.#element.getBoundingClientRect();
    if (width === 0) return;
    this.#element.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#element.replaceChildren(...this.#draw(width, height));
  }
}
