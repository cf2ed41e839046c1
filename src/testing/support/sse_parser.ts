/** An event as a client gets it. */
export interface ReceivedEvent {
  /** `"message"` for an event without a name. */
  readonly type: string;
  readonly data: string;
  /** What the client sends as `Last-Event-ID` when it breaks off after it. */
  readonly lastEventId: string;
}

/**
 * Reads a `text/event-stream` as the HTML standard says (9.2.6, "Interpreting an
 * event stream"), in chunks of any size.
 */
export class SseParser {
  /** The events that were dispatched. */
  readonly events: ReceivedEvent[] = [];
  /** The comments, without their colon. */
  readonly comments: string[] = [];
  /** How long to wait before connecting again, if that was said. */
  retry: number | undefined;
  /** What the client would send as `Last-Event-ID` now. */
  lastEventId = "";
  readonly #decoder = new TextDecoder();
  #line = "";
  #isAfterReturn = false;
  #type = "";
  #data = "";
  #id = "";

  /** Reads on. */
  push(bytes: Uint8Array): void {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === "") return;
    // The second half of a CR LF that came in two chunks is no line of its own.
    if (this.#isAfterReturn && text.startsWith("\n")) text = text.slice(1);
    this.#isAfterReturn = text.endsWith("\r");
    const lines = (this.#line + text).split(/\r\n|\n|\r/);
    this.#line = lines.pop()!;
    for (const line of lines) this.#interpret(line);
  }

  #interpret(line: string): void {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) {
      this.comments.push(line.slice(1));
      return;
    }
    const field = colon < 0 ? line : line.slice(0, colon);
    const rest = colon < 0 ? "" : line.slice(colon + 1);
    const value = rest.startsWith(" ") ? rest.slice(1) : rest;
    if (field === "event") this.#type = value;
    else if (field === "data") this.#data += `${value}\n`;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && /^[0-9]+$/.test(value)) {
      this.retry = Number(value);
    }
  }

  #dispatch(): void {
    const type = this.#type || "message";
    const data = this.#data;
    this.#type = "";
    this.#data = "";
    // Also by an event without data, which is not dispatched otherwise.
    this.lastEventId = this.#id;
    if (data === "") return;
    this.events.push({
      type,
      data: data.slice(0, -1),
      lastEventId: this.lastEventId,
    });
  }
}

/** What a client gets that reads a whole text from within a stream. */
export function parseSse(text: string): ReceivedEvent[] {
  const parser = new SseParser();
  // A byte order mark counts for nothing at the start of a stream only.
  parser.push(new TextEncoder().encode(`\n${text}`));
  return parser.events;
}
