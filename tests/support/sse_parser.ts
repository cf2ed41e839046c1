/** An event as a client receives it. */
export interface ParsedEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}

/** Everything that a client parses from a stream. */
export interface ParsedSse {
  readonly events: ParsedEvent[];
  /** The ID that the client would send as `Last-Event-ID`. */
  readonly lastEventId: string;
  readonly retry: number | undefined;
  readonly comments: string[];
}

/**
 * Parses a complete `text/event-stream` by the HTML standard (9.2.6, "Interpreting
 * an event stream"), and also collects its comments. Discards an event that no
 * empty line terminates, as the standard requires.
 */
export function parseSse(text: string): ParsedSse {
  const events: ParsedEvent[] = [];
  const comments: string[] = [];
  let event = "";
  let data = "";
  let id = "";
  let lastEventId = "";
  let retry: number | undefined;
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  // Text after the last line break is an incomplete line.
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
