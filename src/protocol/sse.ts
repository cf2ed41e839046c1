import { formatValue } from "../runtime/describe.ts";
import { InvalidArgumentError } from "../errors.ts";

/** What an event of a `text/event-stream` carries. */
export interface SseEvent {
  /**
   * Name of the event, one line without NUL.
   *
   * @default undefined the client takes it for `"message"`
   */
  readonly event?: string | undefined;
  /** Id of the event, one line without NUL, for `Last-Event-ID`. */
  readonly id?: string | undefined;
  /** How long the client is to wait before it connects again, in milliseconds. */
  readonly retry?: number | undefined;
  /** Any text. A client gets each line break of it (CR LF, CR, LF) as LF. */
  readonly data?: string | undefined;
}

/**
 * Writes an event as a frame of a `text/event-stream` (HTML standard, 9.2,
 * "Server-sent events"), such that no text in it can be taken for another field or
 * event.
 *
 * @param event What it carries. Without `data` a client takes note of `id` and
 * `retry`, and dispatches nothing.
 * @throws {InvalidArgumentError} For a name or an id with CR, LF or NUL, and for a
 * `retry` that is no whole number of at least 0.
 *
 * @example Tell everyone
 * ```ts
 * import { formatSseEvent, InMemorySessions } from "@crossmcp/session-manager";
 *
 * await using sessions = new InMemorySessions();
 * const message = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };
 * sessions.streams.send(
 *   undefined,
 *   formatSseEvent({ event: "message", data: JSON.stringify(message) }),
 * );
 * ```
 */
export function formatSseEvent(event: SseEvent): string {
  const { event: name, id, retry, data } = event;
  let frame = "";
  if (name !== undefined) frame += `event: ${line("event", name)}\n`;
  if (id !== undefined) frame += `id: ${line("id", id)}\n`;
  if (retry !== undefined) {
    if (!Number.isSafeInteger(retry) || retry < 0) {
      throw new InvalidArgumentError(
        "retry",
        '"retry" has to be a whole number of milliseconds, not ' +
          `${formatValue(retry)}.`,
      );
    }
    frame += `retry: ${retry}\n`;
  }
  if (data !== undefined) frame += prefixed("data: ", text("data", data));
  return `${frame}\n`;
}

/**
 * Writes a comment, which clients ignore.
 *
 * @param comment Any text.
 * @throws {InvalidArgumentError} For what is no string.
 */
export function formatSseComment(comment: string): string {
  return `${prefixed(": ", text("comment", comment))}\n`;
}

/**
 * Cuts a text into its frames: each ends with its empty line, the last one perhaps
 * without.
 */
export function splitSseFrames(text: string): string[] {
  if (isOneFrame(text)) return [text];
  const frames: string[] = [];
  let start = 0;
  for (const { index, 0: end } of text.matchAll(FRAME_END)) {
    frames.push(text.slice(start, start = index + end.length));
  }
  if (start < text.length) frames.push(text.slice(start));
  return frames;
}

/**
 * Gives a frame an id, in the place of its own if it has one. A frame that is not
 * complete is completed.
 */
export function withSseId(frame: string, id: string): string {
  // The last field of a name counts, so it goes before the empty line.
  let end = frame.length;
  while (frame[end - 1] === "\n" || frame[end - 1] === "\r") end--;
  return `${frame.slice(0, end)}\nid: ${id}\n\n`;
}

/** Whether a text ends where a frame ends, so that something else may follow. */
export function endsSseFrame(text: string): boolean {
  return text.endsWith("\n\n") || /(?:\r\n|\n|\r(?!\n)){2}$/.test(text);
}

const LINE_BREAK = /\r\n|\n|\r/;
const FRAME_END = /(?:\r\n|\n|\r(?!\n)){2,}/g;

/** The frame that transports write; the quick way. */
function isOneFrame(text: string): boolean {
  return text.indexOf("\n\n") === text.length - 2 && !text.includes("\r");
}

function prefixed(prefix: string, text: string): string {
  return text.split(LINE_BREAK).map((line) => `${prefix}${line}\n`).join("");
}

function line(field: string, value: string): string {
  if (!/[\r\n\0]/.test(text(field, value))) return value;
  throw new InvalidArgumentError(
    field,
    `"${field}" has to be one line without NUL, not ${formatValue(value)}.`,
  );
}

function text(field: string, value: string): string {
  if (typeof value === "string") return value;
  throw new InvalidArgumentError(
    field,
    `"${field}" has to be a string, not ${formatValue(value)}.`,
  );
}
