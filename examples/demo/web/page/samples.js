/** The number of samples that are kept: one minute. */
const KEPT = 120;

/**
 * Follows the samples of the nodes. Events: `sample`, when there is a new one,
 * and `lost`, when the demo has ended.
 */
export class Samples extends EventTarget {
  /** The samples of the last minute, the newest last. */
  all = [];

  /** Begins to follow; the browser reconnects by itself. */
  start() {
    const source = new EventSource("/api/samples");
    source.addEventListener("history", ({ data }) => {
      this.all = JSON.parse(data);
      if (this.all.length > 0) this.dispatchEvent(new Event("sample"));
    });
    source.addEventListener("sample", ({ data }) => {
      this.all = [...this.all, JSON.parse(data)].slice(-KEPT);
      this.dispatchEvent(new Event("sample"));
    });
    source.addEventListener("error", () => {
      this.dispatchEvent(new Event("lost"));
    });
  }

  /** The newest sample. */
  get latest() {
    return this.all.at(-1);
  }

  /** The number of messages that should have arrived by now. */
  get due() {
    return this.all.at(-2)?.sent ?? 0;
  }
}

/** Asks the demo to do something, and returns its response. */
export async function operate(action, body = {}) {
  const response = await fetch(`/api/${action}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${action}: status ${response.status}`);
  return await response.json();
}
