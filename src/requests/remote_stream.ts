import { formatReset } from "../streams/stream_start.ts";
import { FrameSplitter } from "./frame_reader.ts";
import type { MessageId } from "./message_target.ts";
import { finalEventIdAfter } from "./request_event_id.ts";
import { formatRequestError } from "./request_error.ts";
import type { ArchivedEvents } from "./request_archive.ts";

/** The event stream of a request that another node works on, or worked on. */
export interface RemoteStream {
  /**
   * The stream of that node: `null` if the client has the complete response,
   * and `undefined` if no node has the request.
   */
  readonly body: ReadableStream<Uint8Array> | null | undefined;
  /** The ID of the request's message; undefined if nobody knows it. */
  readonly requestId: MessageId | undefined;
  /** The last event that the client has received. */
  readonly lastEventId: string;
  /** Reads what is stored of the response after an event. */
  readonly readArchive: (
    lastEventId: string,
  ) => Promise<ArchivedEvents | undefined>;
}

const NODE_IS_GONE = "The server that worked on this request is gone";

const encoder = new TextEncoder();
const EVENT_ID = /^id: ?(.*)$/m;

/**
 * Passes on the event stream of a request. If its node dies, what that node had
 * stored follows, and then a JSON-RPC error: its client must not wait for ever.
 *
 * @returns A stream that does not fail; `null` if the client has the complete
 * response, and `undefined` if nothing is known of the request.
 */
export async function openRemoteStream(
  remote: RemoteStream,
): Promise<ReadableStream<Uint8Array> | null | undefined> {
  const { body, requestId, lastEventId } = remote;
  if (body === null) return null;
  if (body !== undefined) return completedStream(body, remote);
  const archived = await remote.readArchive(lastEventId);
  if (archived === undefined && requestId === undefined) return undefined;
  const rest = restOf(archived, requestId, lastEventId);
  if (rest === "") return archived?.isComplete ? null : undefined;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(encoder.encode(rest));
      controller.close();
    },
  });
}

/** Passes on whole frames, and appends the rest if the stream fails. */
function completedStream(
  body: ReadableStream<Uint8Array>,
  remote: RemoteStream,
): ReadableStream<Uint8Array> {
  const splitter = new FrameSplitter();
  const reader = body.getReader();
  let { lastEventId } = remote;
  const readFrames = async (): Promise<string | undefined> => {
    while (true) {
      const { done, value } = await reader.read();
      const frames = done ? splitter.end() : splitter.push(value);
      for (const frame of frames) {
        lastEventId = EVENT_ID.exec(frame)?.[1] ?? lastEventId;
      }
      if (frames.length > 0) return frames.join("");
      if (done) return undefined;
    }
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        const text = await readFrames();
        if (text === undefined) controller.close();
        else controller.enqueue(encoder.encode(text));
      } catch {
        const archived = await remote.readArchive(lastEventId);
        const rest = restOf(archived, remote.requestId, lastEventId);
        if (rest !== "") controller.enqueue(encoder.encode(rest));
        controller.close();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/** Returns what follows the last event that the client has received. */
function restOf(
  { frames, hasGap, isComplete }: ArchivedEvents = {
    frames: [],
    hasGap: false,
    isComplete: false,
  },
  requestId: MessageId | undefined,
  lastEventId: string,
): string {
  const newestId = EVENT_ID.exec(frames.at(-1) ?? "")?.[1] ?? lastEventId;
  const id = finalEventIdAfter(newestId);
  return [
    hasGap ? formatReset(undefined, "purged") : "",
    ...frames,
    isComplete || requestId === undefined
      ? ""
      : formatRequestError(requestId, NODE_IS_GONE, id),
  ].join("");
}
