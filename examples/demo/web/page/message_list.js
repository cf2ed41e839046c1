import { formatTime } from "./format.js";

/** A list of the last messages, the newest first. */
export class MessageList {
  #list;
  #max;

  constructor(list, max) {
    this.#list = list;
    this.#max = max;
  }

  /** Adds a message with the time, and a word for its kind. */
  add(text, kind) {
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.textContent = formatTime(new Date());
    item.append(time);
    if (kind !== undefined) {
      const label = document.createElement("b");
      label.textContent = kind;
      item.append(label);
    }
    const content = document.createElement("span");
    content.textContent = text;
    item.append(content);
    this.#list.prepend(item);
    while (this.#list.children.length > this.#max) {
      this.#list.lastChild.remove();
    }
  }
}
