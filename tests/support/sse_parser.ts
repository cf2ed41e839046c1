/** An event as a client sees it. */
export interface SeenEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}

/** What a client makes of a text. */
export interface Seen {
  readonly events: SeenEvent[];
  /** What it would send as `Last-Event-ID`. */
  readonly lastEventId: string;
  readonly retry: number | undefined;
  readonly comments: string[];
}

/**
 * Reads a whole `text/event-stream` as the HTML standard says (9.2.6, "Interpreting
 * an event stream"), comments included. What is not ended by an empty line is left
 * out.
 */
export function parseSse(text: string): Seen {
  const events: SeenEvent[] = [];
  const comments: string[] = [];
  let event = "";
  let data = "";
  let id = "";
  let lastEventId = "";
  let retry: number | undefined;
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  // What follows the last line break is no line yet.
  lines.pop();
  for (const line of lines) {
    if (line === "") {
      lastEventId = id;
      if (data !== "") {
        events.push({ event: event || "message", data: data.slice(0, -1), id });
      }
      event = data = "";
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (colon === 0) comments.push(value);
    else if (field === "event") event = value;
    else if (field === "data") data += `${value}\n`;
    else if (field === "id" && !value.includes("\0")) id = value;
    else if (field === "retry" && /^[0-9]+$/.test(value)) retry = +value;
  }
  return { events, lastEventId, retry, comments };
}
