import { isForTransport, type SendTarget } from "../../replay/recipients.ts";
import { isSessionId } from "../../protocol/session_id.ts";
import { inChunks } from "../../runtime/chunks.ts";

/** An event as it is published. */
export interface PublishedEvent {
  readonly offset: number;
  /** Whether it was in an earlier log as well. */
  readonly isRepublished: boolean;
  /**
   * For a republished event: when it was first appended, at the latest, in
   * microseconds of the server, if that is known.
   */
  readonly firstAppendedAt: number | undefined;
  /** The sequence number at its sender. */
  readonly seq: number;
  readonly frame: string;
  /** The recipients on this node; `undefined` for a broadcast. */
  readonly ids: readonly string[] | undefined;
  /** The transport whose streams a broadcast is for; `undefined` for all. */
  readonly transport: string | undefined;
}

/** The frame of an event, and the transport that it is for. */
export type Payload = Pick<PublishedEvent, "frame" | "transport">;

/**
 * Encodes a payload as JSON: the frame, with the transport before it if there
 * is one. To the scripts, it is opaque.
 */
function encodePayload({ frame, transport }: Payload): string {
  return JSON.stringify(transport === undefined ? frame : [transport, frame]);
}

/** Decodes a payload; `undefined` if it is malformed. */
function payloadOf(value: unknown): Payload | undefined {
  const [transport, frame] = Array.isArray(value) ? value : [undefined, value];
  const isPayload = typeof frame === "string" &&
    (transport === undefined || typeof transport === "string");
  return isPayload ? { frame, transport } : undefined;
}

/**
 * Decodes the payload of an entry of the log.
 *
 * @throws {TypeError} If it is malformed: something else wrote to the log.
 */
export function decodePayload(data: string): Payload {
  const payload = payloadOf(JSON.parse(data));
  if (payload === undefined) {
    throw new TypeError("An entry of the log in Redis is malformed.");
  }
  return payload;
}

/** Consecutive events on one channel; none tell that there is a new log. */
export interface PublishedBatch {
  readonly epoch: string;
  readonly sender: string;
  /** The event before them on the same channel. */
  readonly before: number;
  readonly events: readonly PublishedEvent[];
  /** The receiver, if it is one node; a later node may have the same name. */
  readonly nodeKeyId: string | undefined;
}

/** Decodes a message; `undefined` if it is malformed. */
export function decodeBatch(text: string): PublishedBatch | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(message)) return undefined;
  const [epoch, sender, before, list, receiver] = message;
  const isMessage = typeof epoch === "string" && typeof sender === "string" &&
    Number.isSafeInteger(Number(before)) && Array.isArray(list) &&
    (receiver === undefined || typeof receiver === "string");
  if (!isMessage) return undefined;
  const events: PublishedEvent[] = [];
  for (const event of list) {
    if (!Array.isArray(event)) return undefined;
    const [offset, mark, seq, data, ids] = event;
    const payload = payloadOf(data);
    const isEvent = Number.isSafeInteger(Number(offset)) &&
      typeof mark === "string" && Number.isSafeInteger(seq) &&
      Array.isArray(ids) === (receiver !== undefined);
    if (!isEvent || payload === undefined) return undefined;
    const isRepublished = mark !== "";
    events.push({
      offset: Number(offset),
      isRepublished,
      firstAppendedAt: Number(mark.slice(1)) || undefined,
      seq,
      ids,
      ...payload,
    });
  }
  return { epoch, sender, before: Number(before), events, nodeKeyId: receiver };
}

/** Decodes an entry of the log: offset, recipients, frame and origin. */
export function decodeEntry(
  [offset, recipients, data, origin, firstAppendedAt]: readonly string[],
): PublishedEvent & { readonly sender: string } {
  const space = origin!.indexOf(" ");
  const isRepublished = origin!.startsWith("r");
  return {
    offset: Number(offset),
    isRepublished,
    firstAppendedAt: Number(firstAppendedAt) || undefined,
    seq: Number(origin!.slice(isRepublished ? 1 : 0, space)),
    sender: origin!.slice(space + 1),
    ...decodePayload(data!),
    ids: recipients === "" ? undefined : JSON.parse(recipients!),
  };
}

const EVENT_ID = /^([0-9a-f]{16})-(0|[1-9][0-9]{0,31})$/;

/** A position in a log. */
export interface EventPosition {
  readonly epoch: string;
  readonly offset: string;
}

/** Parses an event ID; `undefined` if it is malformed. */
export function parseEventId(
  eventId: string | undefined,
): EventPosition | undefined {
  const [, epoch, offset] = EVENT_ID.exec(eventId ?? "") ?? [];
  return epoch && offset ? { epoch, offset } : undefined;
}

/** An event to append. */
export interface NewEvent {
  readonly seq: number;
  readonly ids: readonly string[] | undefined;
  readonly frame: string;
  readonly transport: string | undefined;
  /** The payload: the frame and the transport, as JSON. */
  readonly data: string;
  /** Whether it was appended before, to a log that is lost. */
  readonly isRepublished?: boolean | undefined;
  /** When that was, at the latest, in microseconds of the server. */
  readonly firstAppendedAt?: number | undefined;
}

/** Creates an event to append. */
export function newEvent(
  seq: number,
  target: SendTarget,
  frame: string,
): NewEvent {
  const [ids, transport] = isForTransport(target)
    ? [undefined, target.transport]
    : [target, undefined];
  const data = encodePayload({ frame, transport });
  return { seq, ids, frame, transport, data };
}

/** Returns whom an event is for. */
export function targetOf(
  { ids, transport }: Pick<PublishedEvent, "ids" | "transport">,
): SendTarget {
  return ids ?? (transport === undefined ? undefined : { transport });
}

/** Returns whether an event is for a session, whose transport is given. */
export function isEventFor(
  { ids, transport }: Pick<NewEvent, "ids" | "transport">,
  session: string,
  ofSession: string | undefined,
): boolean {
  if (ids !== undefined) return ids.includes(session);
  return transport === undefined || transport === ofSession;
}

/**
 * How many recipients the events of one command have: each takes the server some
 * microseconds, in which nobody else gets in.
 */
export const BATCH_RECIPIENTS = 250;
/**
 * Longer frames, in characters, have more recipients: each event has a copy of
 * its frame.
 */
const LARGE_FRAME = 16_384;
const LARGE_FRAME_RECIPIENTS = 500;

/**
 * Splits the recipients of a frame into chunks, one for each event. Invalid
 * session IDs are omitted.
 */
export function chunkRecipients(
  recipients: readonly string[],
  { length }: string,
): readonly string[][] {
  const ids = recipients.filter((id) =>
    typeof id === "string" && isSessionId(id)
  );
  const isLarge = length > LARGE_FRAME;
  return inChunks(ids, isLarge ? LARGE_FRAME_RECIPIENTS : BATCH_RECIPIENTS);
}

/** Estimates the size of an event, in characters. */
export function estimateSize({ ids, data }: NewEvent): number {
  return data.length + 64 + (ids?.length ?? 0) * 40;
}

/** Encodes an event as arguments of the script that appends it. */
export function encodeArguments(
  { ids, data, isRepublished, firstAppendedAt }: NewEvent,
): string[] {
  const mark = isRepublished ? `r${firstAppendedAt ?? ""}` : "";
  return ids === undefined
    ? [data, mark, "-1"]
    : [data, mark, String(ids.length), ...ids];
}
