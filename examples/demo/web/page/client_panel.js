import { formatCount, setText, shortId } from "./format.js";
import { operate } from "./samples.js";
import { Tape } from "./tape.js";

const find = (id) => document.getElementById(id);

/** Shows the page's own session, and what it has received. */
export class ClientPanel {
  #client;
  #sequence;
  #tape = new Tape(find("tape"));
  #node;
  #isOpen = false;
  #opened = 0;

  constructor(client, sequence) {
    this.#client = client;
    this.#sequence = sequence;
    client.addEventListener("open", ({ detail }) => {
      this.#node = detail.node;
      this.#isOpen = true;
      this.#opened++;
    });
    client.addEventListener("closed", () => this.#isOpen = false);
    find("kill-own").addEventListener("click", () => {
      void operate("kill", { node: this.#node }).catch(() => {});
    });
  }

  /** The node that has the page's stream. */
  get node() {
    return this.#isOpen ? this.#node : undefined;
  }

  /** Shows what was received of the messages up to two numbers. */
  show({ sent, due }) {
    const sequence = this.#sequence;
    const missing = sequence.missing(due);
    setText(find("received"), formatCount(sequence.received));
    setText(find("sent"), formatCount(sequence.sent(sent)));
    setText(find("missing"), formatCount(missing));
    find("missing-figure").dataset.state = missing === 0 ? "none" : "some";
    const reconnects = Math.max(0, this.#opened - 1);
    setText(find("reconnects"), formatCount(reconnects));
    const label = reconnects === 1 ? "reconnect" : "reconnects";
    setText(find("reconnects-label"), label);
    for (const way of ["live", "replayed", "read"]) {
      setText(find(way), formatCount(sequence.counts[way]));
    }
    setText(find("stream"), this.#isOpen ? "open" : "reconnecting");
    find("stream").dataset.state = this.#isOpen ? "open" : "closed";
    setText(find("own-node"), this.node ?? "none");
    setText(find("session"), shortId(this.#client.session ?? "none"));
    setText(find("last-event"), this.#client.lastEventId ?? "none");
    find("kill-own").disabled = !this.#isOpen;
    this.#tape.show(sequence, sent);
  }
}
