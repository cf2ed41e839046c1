import { formatValue } from "../format_value.ts";
import { InvalidArgumentError } from "../errors.ts";

/** The fields of a server-sent event. */
export interface SseEvent {
  /**
   * The name of the event: one line without NUL.
   *
   * @default undefined clients use `"message"`
   */
  readonly event?: string | undefined;
  /**
   * The ID of the event: one line without NUL. Clients send it back as
   * `Last-Event-ID`.
   */
  readonly id?: string | undefined;
  /** How long a client should wait before it reconnects, in milliseconds. */
  readonly retry?: number | undefined;
  /** The data. Clients receive each line break (CR LF, CR or LF) as LF. */
  readonly data?: string | undefined;
}

/**
 * Formats an event as a frame of a `text/event-stream` (HTML standard, 9.2,
 * "Server-sent events"). No text can be mistaken for another field or event.
 *
 * @param event The fields. Without `data`, a client stores `id` and `retry`,
 * and dispatches nothing.
 * @throws {InvalidArgumentError} If `event` or `id` contains CR, LF or NUL, or
 * if `retry` is not a whole number of at least 0.
 *
 * @example Notify every session
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
        '"retry" must be a whole number of milliseconds, but got ' +
          `${formatValue(retry)}.`,
      );
    }
    frame += `retry: ${retry}\n`;
  }
  if (data !== undefined) frame += prefixed("data: ", text("data", data));
  return `${frame}\n`;
}

/**
 * Formats a comment, which clients ignore.
 *
 * @param comment Any text.
 * @throws {InvalidArgumentError} If `comment` is not a string.
 */
export function formatSseComment(comment: string): string {
  return `${prefixed(": ", text("comment", comment))}\n`;
}

/**
 * Splits a text into frames. Each ends with its empty line; the last one may
 * lack it.
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
 * Sets the ID of a frame, replacing its own if it has one. Completes an
 * incomplete frame.
 */
export function withSseId(frame: string, id: string): string {
  // If a field occurs twice, the last one counts. So the ID goes before the
  // empty line.
  let end = frame.length;
  while (frame[end - 1] === "\n" || frame[end - 1] === "\r") end--;
  return `${frame.slice(0, end)}\nid: ${id}\n\n`;
}

/**
 * Returns whether a text ends at the end of a frame, so that another may
 * follow.
 */
export function endsSseFrame(text: string): boolean {
  return text.endsWith("\n\n") || /(?:\r\n|\n|\r(?!\n)){2}$/.test(text);
}

/** Returns whether a response is an event stream. */
export function isEventStream({ headers }: Response): boolean {
  return (headers.get("content-type") ?? "").startsWith("text/event-stream");
}

const LINE_BREAK = /\r\n|\n|\r/;
const FRAME_END = /(?:\r\n|\n|\r(?!\n)){2,}/g;

/** Fast check for the single frame that transports usually send. */
function isOneFrame(text: string): boolean {
  return text.indexOf("\n\n") === text.length - 2 && !text.includes("\r");
}

function prefixed(prefix: string, text: string): string {
  if (!LINE_BREAK.test(text)) return `${prefix}${text}\n`;
  return text.split(LINE_BREAK).map((line) => `${prefix}${line}\n`).join("");
}

function line(field: string, value: string): string {
  if (!/[\r\n\0]/.test(text(field, value))) return value;
  throw new InvalidArgumentError(
    field,
    `"${field}" must be one line without NUL, but got ${formatValue(value)}.`,
  );
}

function text(field: string, value: string): string {
  if (typeof value === "string") return value;
  throw new InvalidArgumentError(
    field,
    `"${field}" must be a string, but got ${formatValue(value)}.`,
  );
}
