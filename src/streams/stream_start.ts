import type { ResetReason } from "../contracts/options.ts";
import { formatSseEvent } from "../protocol/sse.ts";
import type { PendingStream, StreamIntent } from "./pending_streams.ts";
import { FrameBatch } from "./frame_batch.ts";
import { parseLogEventId } from "../replay/log_event_id.ts";
import type { ReplayLog } from "../replay/replay_log.ts";

/** The first bytes of a stream: replayed events, or a reset. */
export interface StreamStart {
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
  /**
   * Whether they take the place of frames that are queued in the stream that is
   * replaced: they include them, or a reset.
   */
  readonly replacesPending: boolean;
  /** How many of the events the client had missed. */
  readonly replayed: number;
  /** Why events are missing, if they are. */
  readonly reset?: ResetReason;
}

/** Returns counts of resets by reason, all 0. */
export function noResets(): Record<ResetReason, number> {
  return { unknown: 0, purged: 0, future: 0 };
}

/** The start of a stream without replay. */
export const EMPTY_START: StreamStart = {
  chunks: [],
  replacesPending: false,
  replayed: 0,
};

/** The longest chunk made of several events, in bytes. */
const CHUNK_BYTES = 65_536;
const encoder = new TextEncoder();

/** The history of events that a stream start is planned from. */
export type EventHistory = Pick<ReplayLog, "latestEventId" | "after">;

/**
 * Plans the start of a stream, so that its client misses nothing, receives
 * nothing twice, and knows its last event ID.
 *
 * @param id The session.
 * @param intent What is known of the stream.
 * @param history The events so far.
 * @param now The current time.
 */
export function planStreamStart(
  id: string,
  intent: PendingStream,
  history: EventHistory,
  now: number,
): StreamStart {
  const { lastEventId, startEventId, transport, prime } = intent;
  const { reset: knownReset, missed: imported } = intent;
  const priming = (id: string) => {
    const event = formatPriming(id, prime);
    return event === "" ? [] : [encoder.encode(event)];
  };
  if (imported !== undefined && knownReset === undefined) {
    const frames = imported.frames.map((frame) => encoder.encode(frame));
    return {
      chunks: [...priming(lastEventId ?? imported.position), ...joined(frames)],
      replacesPending: true,
      replayed: imported.count,
    };
  }
  if (lastEventId === undefined) {
    return { ...EMPTY_START, chunks: priming(history.latestEventId) };
  }
  const missed = knownReset ??
    history.after({ session: id, transport, lastEventId, startEventId }, now);
  if (typeof missed !== "string") {
    // A client may forget its last event ID if a stream ends before its first
    // event: https://github.com/modelcontextprotocol/typescript-sdk/issues/2499
    const chunks = [...priming(lastEventId), ...joined(missed)];
    return { chunks, replacesPending: true, replayed: missed.length };
  }
  // A node that cannot read a shared log may know less of it than the client.
  const position = missed === "unknown"
    ? newerOf(history.latestEventId, lastEventId)
    : history.latestEventId;
  const reset = encoder.encode(formatReset(position, missed));
  // What the older stream still holds comes after a gap, and the reset covers it.
  return { chunks: [reset], replacesPending: true, replayed: 0, reset: missed };
}

/**
 * Formats the event that tells a client its position; empty if it wants none,
 * or if the position is unknown, because the log is unavailable.
 */
export function formatPriming(
  eventId: string,
  prime: StreamIntent["prime"],
): string {
  if (!prime || eventId === "") return "";
  const event = prime === "named" ? "position" : undefined;
  return formatSseEvent({ event, id: eventId, data: "" });
}

/**
 * Formats the event that tells a client that it has missed events.
 *
 * @param eventId The event after which the stream continues, if it is known.
 * @param reason Why the events are missing.
 */
export function formatReset(
  eventId: string | undefined,
  reason: ResetReason,
): string {
  const data = JSON.stringify({ reason });
  return formatSseEvent({ event: "reset", id: eventId, data });
}

/** Returns the newer one of two event IDs of one log; otherwise the first. */
function newerOf(known: string, claimed: string): string {
  const [one, other] = [parseLogEventId(claimed), parseLogEventId(known)];
  if (one === undefined || one.epoch !== other?.epoch) return known;
  return one.offset > other.offset ? claimed : known;
}

/** Joins frames into fewer and larger chunks. */
function joined(
  frames: readonly Uint8Array<ArrayBuffer>[],
): Uint8Array<ArrayBuffer>[] {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let chunk: FrameBatch | undefined;
  for (const frame of frames) {
    if (chunk !== undefined && chunk.length + frame.length > CHUNK_BYTES) {
      chunks.push(chunk.concat());
      chunk = undefined;
    }
    chunk = chunk?.append(frame) ?? new FrameBatch(undefined, frame);
  }
  if (chunk !== undefined) chunks.push(chunk.concat());
  return chunks;
}
