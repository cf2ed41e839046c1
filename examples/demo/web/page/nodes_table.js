import { formatBytes, formatCount, setText } from "./format.js";
import { operate } from "./samples.js";

/** The nodes, each with a button that kills it or brings it back. */
export class NodesTable {
  #body;
  #rows = new Map();

  constructor(body) {
    this.#body = body;
  }

  /** Shows nodes; `own` is the one that has the page's stream. */
  show(nodes, own) {
    nodes.forEach((node, index) => {
      if (!this.#rows.has(node.name)) this.#addRow(node.name, index);
      this.#update(this.#rows.get(node.name), node, node.name === own);
    });
  }

  #addRow(name, index) {
    const row = document.createElement("tr");
    row.dataset.node = name;
    row.innerHTML = `
      <th scope="row">
        <i class="swatch node-${index + 1}"></i><span class="name"></span>
        <span class="badge" hidden>this page</span>
        <span class="status"></span>
      </th>
      <td data-cell="streams"></td>
      <td data-cell="perSecond"></td>
      <td data-cell="queuedBytes" class="wide"></td>
      <td><button type="button"></button></td>`;
    row.querySelector(".name").textContent = name;
    row.querySelector("button").addEventListener("click", ({ target }) => {
      target.disabled = true; // until the next sample shows the result
      void operate(target.dataset.action, { node: name }).catch(() => {});
    });
    this.#rows.set(name, row);
    this.#body.append(row);
  }

  #update(row, { name, status, pid, streams, perSecond, queuedBytes }, isOwn) {
    const isRunning = status === "running";
    row.dataset.status = status;
    row.querySelector(".badge").hidden = !isOwn;
    const process = pid === undefined ? "" : `pid ${pid}`;
    setText(row.querySelector(".status"), isRunning ? process : status);
    const cell = (key) => row.querySelector(`[data-cell="${key}"]`);
    setText(cell("streams"), formatCount(streams));
    setText(cell("perSecond"), formatCount(perSecond));
    setText(cell("queuedBytes"), formatBytes(queuedBytes));
    const button = row.querySelector("button");
    button.dataset.action = isRunning ? "kill" : "start";
    button.disabled = status === "starting";
    setText(button, isRunning ? "Kill" : "Bring back");
    button.setAttribute("aria-label", `${button.textContent} node ${name}`);
  }
}
