import type { ResetReason } from "../contracts/options.ts";
import { formatSseEvent } from "../protocol/sse.ts";
import type { PendingStream } from "./pending_streams.ts";
import { FrameBatch } from "./frame_batch.ts";
import type { ReplayLog } from "../replay/replay_log.ts";

/** What a stream starts with. */
export interface StreamStart {
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
  /** Whether that includes what still waits to be written to an older stream. */
  readonly includesPending: boolean;
  /** How many events of them the client had missed. */
  readonly replayed: number;
  /** Why these are not all, if they are not. */
  readonly reset?: ResetReason;
}

/** A stream that starts with nothing of its own. */
export const EMPTY_START: StreamStart = {
  chunks: [],
  includesPending: false,
  replayed: 0,
};

/** Longest chunk that is made of several events, in bytes. */
const CHUNK_BYTES = 65_536;
const encoder = new TextEncoder();

/** What was sent so far, as far as it is kept. */
export type EventHistory = Pick<ReplayLog, "latestEventId" | "after">;

/**
 * What a stream has to start with, so that its client misses nothing, gets nothing
 * twice, and knows its position.
 *
 * @param id The session.
 * @param expected What the client said.
 * @param log What was sent so far.
 * @param now When.
 */
export function planStreamStart(
  id: string,
  { lastEventId, startEventId, prime, reset: known, missed: given }:
    PendingStream,
  log: EventHistory,
  now: number,
): StreamStart {
  const priming = (id: string) =>
    // Where a log is out of reach, nobody knows a position.
    !prime || id === "" ? [] : [
      encode({
        event: prime === "named" ? "position" : undefined,
        id,
        data: "",
      }),
    ];
  if (given !== undefined && known === undefined) {
    const frames = given.frames.map((frame) => encoder.encode(frame));
    return {
      chunks: [...priming(lastEventId ?? given.position), ...joined(frames)],
      includesPending: true,
      replayed: given.count,
    };
  }
  if (lastEventId === undefined) {
    return { ...EMPTY_START, chunks: priming(log.latestEventId) };
  }
  const missed = known ?? log.after(id, lastEventId, startEventId, now);
  if (typeof missed !== "string") {
    // A client may forget its position with a stream that ends before its first
    // event: https://github.com/modelcontextprotocol/typescript-sdk/issues/2499
    const chunks = [...priming(lastEventId), ...joined(missed)];
    return { chunks, includesPending: true, replayed: missed.length };
  }
  const reset = {
    event: "reset",
    id: log.latestEventId,
    data: JSON.stringify({ reason: missed }),
  };
  return { ...EMPTY_START, chunks: [encode(reset)], reset: missed };
}

function encode(event: Parameters<typeof formatSseEvent>[0]) {
  return encoder.encode(formatSseEvent(event));
}

/** Fewer and larger chunks of the same bytes. */
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
